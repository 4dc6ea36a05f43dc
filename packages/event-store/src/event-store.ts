/**
 * Reading and appending, one stream at a time: the store's plain face. Services that commit many streams at once use
 * `advanceStreams` and `insertEvents` in a transaction of their own.
 * Appending *is* publishing: the relay sends what is committed, and nothing else sends anything.
 */
import { arrayOf, type Pool, type Queryable, statement } from '@bellyfed/postgres'
import type { EventType } from '@bellyfed/schemas'
import { advanceStreams, insertEvents } from './append.ts'
import { ConcurrencyError, type NewEvent, type StoredEvent } from './events.ts'

const selectStreamVersions = statement(import.meta.url, '../sql/select-stream-versions.sql')
const selectEventsOfStream = statement(import.meta.url, '../sql/select-events-of-stream.sql')
const selectEventsByType = statement(import.meta.url, '../sql/select-events-by-type.sql')
const selectEventsByUser = statement(import.meta.url, '../sql/select-events-by-user.sql')
const selectSnapshot = statement(import.meta.url, '../sql/select-snapshot.sql')
const upsertSnapshot = statement(import.meta.url, '../sql/upsert-snapshot.sql')

/** What an append gave: the stream's new version and each event's position, in the order of the events. */
export interface Appended {
  readonly version: number
  readonly xid: bigint
  readonly positions: bigint[]
}

/** A stream's state at a version, derived from its events. */
export interface Snapshot<State = unknown> {
  readonly version: number
  readonly state: State
}

export interface EventStore {
  /**
   * Appends events as versions expectedVersion + 1, + 2 … in one transaction. `expectedVersion` 0 begins a stream.
   * Throws ConcurrencyError when the stream has another version, CommitOutcomeUnknown when COMMIT was not answered.
   */
  appendEvents(stream: string, events: readonly NewEvent[], expectedVersion: number): Promise<Appended>
  /** Events of a stream by version, both bounds inclusive; a bound left out is none, 0 is version 0. */
  getEvents(stream: string, fromVersion?: number, toVersion?: number): Promise<StoredEvent[]>
  /** Events of a type by acceptance time, both bounds inclusive, in order of publication; read in pages as consumed. */
  getEventsByType(type: EventType, fromMs?: number, toMs?: number): AsyncIterable<StoredEvent>
  /** Events that concern a user, of whatever stream; bounds and order as in `getEventsByType`. */
  getEventsByUser(userId: string, fromMs?: number, toMs?: number): AsyncIterable<StoredEvent>
  /** The latest snapshot, or the latest at or below a version. */
  getSnapshot<State>(stream: string, version?: number): Promise<Snapshot<State> | undefined>
  /** Keeps a snapshot; one of the same version is replaced. */
  saveSnapshot(stream: string, snapshot: Snapshot): Promise<void>
}

interface EventRow {
  readonly xid: bigint
  readonly position: bigint
  readonly event_id: string
  readonly stream: string
  readonly version: bigint
  readonly type: EventType
  readonly topic: string
  readonly key: string
  readonly user_id: string | null
  readonly session_id: string | null
  readonly correlation_id: string | null
  readonly causation_id: string | null
  readonly command_id: string | null
  readonly occurred_at: Date
  readonly accepted_at: Date
  readonly schema_id: number
  readonly payload: Buffer
  readonly metadata: object | null
}

function eventOf(row: EventRow): StoredEvent {
  return {
    xid: row.xid,
    position: row.position,
    eventId: row.event_id,
    stream: row.stream,
    version: Number(row.version),
    type: row.type,
    topic: row.topic,
    key: row.key,
    userId: row.user_id,
    sessionId: row.session_id,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    commandId: row.command_id,
    occurredAtMs: row.occurred_at.getTime(),
    acceptedAtMs: row.accepted_at.getTime(),
    schemaId: row.schema_id,
    payload: row.payload,
    metadata: row.metadata,
  }
}

/** Versions of streams, 0 for those that do not exist. */
export async function streamVersions(q: Queryable, streams: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await q.query<{ id: string; version: bigint }>(selectStreamVersions, [arrayOf.uuid(streams)])
  const found = new Map(rows.map((row) => [row.id, Number(row.version)]))
  return new Map(streams.map((stream) => [stream, found.get(stream) ?? 0]))
}

// Events of about 400 bytes: one page is a few hundred kilobytes.
const pageSize = 1_000

async function* eventsInPages(
  q: Queryable,
  sql: typeof selectEventsByType,
  filter: string,
  bounds: { fromMs: number | undefined; toMs: number | undefined },
): AsyncGenerator<StoredEvent> {
  const from = bounds.fromMs === undefined ? null : new Date(bounds.fromMs)
  const to = bounds.toMs === undefined ? null : new Date(bounds.toMs)
  let after = { xid: 0n, position: 0n }
  for (;;) {
    const { rows } = await q.query<EventRow>(sql, [filter, from, to, after.xid, after.position, pageSize])
    for (const row of rows) yield eventOf(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) return
    after = { xid: last.xid, position: last.position }
  }
}

async function append(
  pool: Pool,
  stream: string,
  events: readonly NewEvent[],
  expectedVersion: number,
): Promise<Appended> {
  const atMs = events[0]?.acceptedAtMs
  if (atMs === undefined) throw new Error(`stream ${stream}: there is nothing to append`)
  const version = expectedVersion + events.length
  const placed = events.map((event, index) => ({ ...event, stream, version: expectedVersion + index + 1 }))
  const appended = await pool.transaction(async (tx) => {
    const { won } = await advanceStreams(tx, [{ stream, expectedVersion, newVersion: version, atMs }])
    return won.has(stream) ? insertEvents(tx, placed) : undefined
  })
  if (appended === undefined) {
    const versions = await streamVersions(pool, [stream])
    throw new ConcurrencyError(stream, expectedVersion, versions.get(stream) ?? 0)
  }
  return { version, ...appended }
}

export function createEventStore(pool: Pool): EventStore {
  return {
    appendEvents: (stream, events, expectedVersion) => append(pool, stream, events, expectedVersion),
    async getEvents(stream, fromVersion, toVersion) {
      const { rows } = await pool.query<EventRow>(selectEventsOfStream, [stream, fromVersion, toVersion])
      return rows.map(eventOf)
    },
    getEventsByType: (type, fromMs, toMs) => eventsInPages(pool, selectEventsByType, type, { fromMs, toMs }),
    getEventsByUser: (userId, fromMs, toMs) => eventsInPages(pool, selectEventsByUser, userId, { fromMs, toMs }),
    async getSnapshot<State>(stream: string, version?: number) {
      const { rows } = await pool.query<{ version: bigint; state: State }>(selectSnapshot, [stream, version])
      return rows[0] && { version: Number(rows[0].version), state: rows[0].state }
    },
    async saveSnapshot(stream, { version, state }) {
      await pool.query(upsertSnapshot, [stream, version, JSON.stringify(state)])
    },
  }
}
