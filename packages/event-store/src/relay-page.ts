/**
 * One page of the log, turned into records. The hot path of publication: rows arrive in binary, payload and key go to
 * the producer as views of what was read, and nothing is parsed that the broker does not need.
 *
 * Columns: xid int8, position int8, topic, key, type, event_id, xid/position as text, accepted_at, schema_id, payload,
 * traceparent or null.
 */
import { type BinaryRow, type Queryable, statement } from '@bellyfed/postgres'
import type { RecordToSend, TopicRecords } from '@bellyfed/stream'
import type { Position } from './events.ts'

const selectPage = statement(import.meta.url, '../sql/select-page.sql')

// PostgreSQL's binary timestamps count microseconds from 2000-01-01.
const postgresEpochMs = Date.UTC(2000, 0, 1)
const twoTo32 = 2 ** 32
const wireHeaderLength = 5

/** Rows read, and what they lead to. */
export interface Page {
  readonly from: Position
  readonly rows: readonly BinaryRow[]
  /** The last row's position; the cursor's next place. Equal to `from` for an empty page. */
  readonly end: Position
}

/** What records say about where they come from. */
export interface PageOrigin {
  readonly source: string
  readonly epoch: number
  readonly topicPrefix: string
}

/** Reads the page behind a position. Only what is below the horizon is seen. */
export async function readPage(q: Queryable, from: Position, limit: number): Promise<Page> {
  const rows = await q.queryBinary(selectPage, [from.xid, from.position, limit])
  const last = rows.at(-1)
  const end =
    last === undefined ? from : { xid: column(last, 0).readBigUInt64BE(), position: column(last, 1).readBigInt64BE() }
  return { from, rows, end }
}

function column(row: BinaryRow, index: number): Buffer {
  const value = row[index]
  if (!value) throw new Error(`select-page: column ${index} is null`)
  return value
}

function text(row: BinaryRow, index: number): string {
  return column(row, index).toString('latin1')
}

function timestampMs(row: BinaryRow): number {
  const value = column(row, 7)
  const microseconds = value.readInt32BE(0) * twoTo32 + value.readUInt32BE(4)
  return Math.floor(microseconds / 1_000) + postgresEpochMs
}

/** The stored schema ids that occur in a page. */
export function schemaIdsOf(page: Page): Set<number> {
  const ids = new Set<number>()
  for (const row of page.rows) ids.add(column(row, 8).readInt32BE())
  return ids
}

/** The payload with the registry's id in its header. The page's memory is ours, so it is written in place. */
function payloadFor(row: BinaryRow, registryIds: ReadonlyMap<number, number>): Buffer {
  const payload = column(row, 9)
  const storedId = column(row, 8).readInt32BE()
  const registryId = registryIds.get(storedId)
  if (registryId === undefined) throw new Error(`no registry id is known for stored schema ${storedId}`)
  if (payload.length < wireHeaderLength || payload[0] !== 0) {
    throw new Error(`the payload of event ${text(row, 5)} is not in wire format`)
  }
  payload.writeInt32BE(registryId, 1)
  return payload
}

function recordOf(row: BinaryRow, positionPrefix: string, registryIds: ReadonlyMap<number, number>): RecordToSend {
  const headers: Record<string, string> = {
    'event-type': text(row, 4),
    'event-id': text(row, 5),
    position: positionPrefix + text(row, 6),
  }
  const traceparent = row[10]
  if (traceparent) headers.traceparent = traceparent.toString('latin1')
  return { key: column(row, 3), value: payloadFor(row, registryIds), headers, timestampMs: timestampMs(row) }
}

/** The page's records by physical topic, each topic's in the order of the page. */
export function recordsOf(page: Page, origin: PageOrigin, registryIds: ReadonlyMap<number, number>): TopicRecords[] {
  const positionPrefix = `${origin.source}/${origin.epoch}/`
  const byTopic = new Map<string, RecordToSend[]>()
  for (const row of page.rows) {
    const topic = text(row, 2)
    const record = recordOf(row, positionPrefix, registryIds)
    const records = byTopic.get(topic)
    if (records === undefined) byTopic.set(topic, [record])
    else records.push(record)
  }
  return [...byTopic].map(([topic, records]) => ({ topic: origin.topicPrefix + topic, records }))
}
