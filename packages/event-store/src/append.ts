/**
 * Writing, set-wise, inside the caller's transaction.
 *
 *   advanceStreams ─▶ the streams that won ─▶ insertEvents for those ─▶ the caller's own rows ─▶ COMMIT
 *
 * Why the order of publication (xid, position) keeps every stream's versions in order: a writer knows the version that
 * it expects before its transaction has an id, so the transaction that wrote this version had committed before, and has
 * the lower id. That holds only if `advanceStreams` is the transaction's first write, which it checks: a transaction that
 * got its id earlier could wait for a stream, see a later transaction's version there and publish its own before it.
 * Inside one transaction the identity column follows the order of the rows.
 */
import { arrayOf, type Statement, statement, type Transaction } from '@bellyfed/postgres'
import type { PlacedEvent } from './events.ts'

const createStreamsStatement = statement(import.meta.url, '../sql/create-streams.sql')
const advanceStreamsStatement = statement(import.meta.url, '../sql/advance-streams.sql')
const insertEventsStatement = statement(import.meta.url, '../sql/insert-events.sql')
const selectEarlierXid = statement(import.meta.url, '../sql/select-earlier-xid.sql')

/** A stream's step from one version to a later one. */
export interface StreamMove {
  readonly stream: string
  /** 0: the stream must not exist yet. */
  readonly expectedVersion: number
  readonly newVersion: number
  readonly atMs: number
}

export interface AdvanceOptions {
  /**
   * Set by a caller that holds, since before its transaction had an id, a lock under which alone these streams are ever
   * written (a consumer's partition lock). Then `advanceStreams` need not be the first write.
   */
  readonly isSerialised?: boolean
}

interface AdvancedRow {
  readonly xid: bigint
  readonly won: string[]
}

function assertMoves(moves: readonly StreamMove[]): void {
  const streams = new Set<string>()
  for (const { stream, expectedVersion, newVersion } of moves) {
    if (streams.has(stream)) throw new Error(`stream ${stream} is moved twice in one flush: fold its commands first`)
    if (expectedVersion < 0 || newVersion <= expectedVersion) {
      throw new Error(`stream ${stream} cannot move from version ${expectedVersion} to ${newVersion}`)
    }
    streams.add(stream)
  }
}

function byStream(one: StreamMove, other: StreamMove): number {
  return one.stream < other.stream ? -1 : 1
}

function createStreams(tx: Transaction, moves: readonly StreamMove[]): Promise<AdvancedRow> {
  return onlyRow(tx, createStreamsStatement, [
    arrayOf.uuid(moves.map((move) => move.stream)),
    arrayOf.bigint(moves.map((move) => move.newVersion)),
    arrayOf.timestampMs(moves.map((move) => move.atMs)),
  ])
}

function advanceExisting(tx: Transaction, moves: readonly StreamMove[]): Promise<AdvancedRow> {
  return onlyRow(tx, advanceStreamsStatement, [
    arrayOf.uuid(moves.map((move) => move.stream)),
    arrayOf.bigint(moves.map((move) => move.expectedVersion)),
    arrayOf.bigint(moves.map((move) => move.newVersion)),
    arrayOf.timestampMs(moves.map((move) => move.atMs)),
  ])
}

async function onlyRow<Row>(tx: Transaction, sql: Statement, values: readonly unknown[]): Promise<Row> {
  const { rows } = await tx.query<Row>(sql, values)
  if (rows[0] === undefined) throw new Error(`${sql.name} returned no row`)
  return rows[0]
}

async function assertFirstWrite(tx: Transaction): Promise<void> {
  const { xid } = await onlyRow<{ xid: bigint | null }>(tx, selectEarlierXid, [])
  if (xid !== null) {
    throw new Error(
      `advanceStreams must be the first write of its transaction, or versions could be published in disorder`,
    )
  }
}

/**
 * Compare-and-set on each stream's version. `won` holds the streams that moved; the others had another version, and
 * nothing of theirs was written. Waits for concurrent writers of the same streams, in stream order. All statements share
 * one round trip. `xid` is the transaction's id, also remembered for `CommitOutcomeUnknown`.
 */
export async function advanceStreams(
  tx: Transaction,
  moves: readonly StreamMove[],
  options: AdvanceOptions = {},
): Promise<{ xid: bigint; won: Set<string> }> {
  assertMoves(moves)
  const sorted = [...moves].sort(byStream)
  const begun = sorted.filter((move) => move.expectedVersion === 0)
  const existing = sorted.filter((move) => move.expectedVersion > 0)
  const answers: Promise<AdvancedRow>[] = []
  const checked = options.isSerialised ? undefined : assertFirstWrite(tx)
  // Creations first, in all transactions: a creation may wait for a lock, a lock never waits for a creation.
  if (begun.length > 0) answers.push(createStreams(tx, begun))
  if (existing.length > 0) answers.push(advanceExisting(tx, existing))
  const [advanced] = await Promise.all([Promise.all(answers), checked])
  const xid = advanced[0]?.xid ?? (await tx.xid())
  tx.noteXid(xid)
  return { xid, won: new Set(advanced.flatMap((row) => row.won)) }
}

/**
 * Appends events in the order given; positions come back in that order. A stream's events must be given with ascending
 * versions. A version that exists already breaks `events_stream_version_key` (23505) and with it the transaction.
 */
export async function insertEvents(
  tx: Transaction,
  rows: readonly PlacedEvent[],
): Promise<{ xid: bigint; positions: bigint[] }> {
  if (rows.length === 0) return { xid: await tx.xid(), positions: [] }
  const inserted = await onlyRow<{ xid: bigint; positions: bigint[] }>(tx, insertEventsStatement, [
    arrayOf.uuid(rows.map((row) => row.eventId)),
    arrayOf.uuid(rows.map((row) => row.stream)),
    arrayOf.bigint(rows.map((row) => row.version)),
    arrayOf.text(rows.map((row) => row.type)),
    arrayOf.text(rows.map((row) => row.topic)),
    arrayOf.text(rows.map((row) => row.key)),
    arrayOf.uuid(rows.map((row) => row.userId)),
    arrayOf.text(rows.map((row) => row.sessionId)),
    arrayOf.text(rows.map((row) => row.correlationId)),
    arrayOf.text(rows.map((row) => row.causationId)),
    arrayOf.text(rows.map((row) => row.commandId)),
    arrayOf.timestampMs(rows.map((row) => row.occurredAtMs)),
    arrayOf.timestampMs(rows.map((row) => row.acceptedAtMs)),
    arrayOf.integer(rows.map((row) => row.schemaId)),
    arrayOf.bytea(rows.map((row) => row.payload)),
    arrayOf.json(rows.map((row) => row.metadata)),
  ])
  tx.noteXid(inserted.xid)
  return inserted
}
