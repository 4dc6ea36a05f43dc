/** How far a relay has published, and the lock of the one that leads. */
import { type Queryable, statement } from '@bellyfed/postgres'
import type { Position } from './events.ts'

const tryLeadStatement = statement(import.meta.url, '../sql/try-lead.sql')
const insertCursor = statement(import.meta.url, '../sql/insert-cursor.sql')
const selectCursor = statement(import.meta.url, '../sql/select-cursor.sql')
const moveCursorStatement = statement(import.meta.url, '../sql/move-cursor.sql')

/** The cursor as stored, with the epoch of its positions. */
export interface Cursor extends Position {
  readonly epoch: number
}

/** Takes the leader's lock for this session, if nobody else's holds it. */
export async function tryLead(session: Queryable, source: string): Promise<boolean> {
  const { rows } = await session.query<{ is_leader: boolean }>(tryLeadStatement, [source])
  return rows[0]?.is_leader === true
}

/** The source's cursor, created before everything on first use. */
export async function loadCursor(q: Queryable, source: string): Promise<Cursor> {
  await q.query(insertCursor, [source])
  const { rows } = await q.query<Cursor>(selectCursor, [source])
  if (rows[0] === undefined) throw new Error(`the cursor of ${source} is gone`)
  return rows[0]
}

/** Moves the cursor if it still is where this relay left it. False: someone else has moved it. */
export async function moveCursor(q: Queryable, source: string, from: Position, to: Position): Promise<boolean> {
  const { rowCount } = await q.query(moveCursorStatement, [source, from.xid, from.position, to.xid, to.position])
  return rowCount === 1
}
