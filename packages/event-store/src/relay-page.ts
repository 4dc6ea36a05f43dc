/**
 * One page of the log, turned into records. The hot path of publication: rows arrive in binary, payload and key go to
 * the producer as views of what was read, and nothing is parsed that the broker does not need.
 */
import { type BinaryRows, type Queryable, statement } from '@bellyfed/postgres'
import type { RecordToSend, TopicRecords } from '@bellyfed/stream'
import type { Position } from './events.ts'

const selectPage = statement(import.meta.url, '../sql/select-page.sql')

/** The columns of `select-page.sql`, in its order. */
const column = {
  xid: 0,
  position: 1,
  topic: 2,
  key: 3,
  type: 4,
  eventId: 5,
  positionText: 6,
  acceptedAt: 7,
  schemaId: 8,
  payload: 9,
  traceparent: 10,
} as const

const wireHeaderLength = 5

/** Rows read, and what they lead to. */
export interface Page {
  readonly from: Position
  readonly rows: BinaryRows
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
  const last = rows.length - 1
  const end = last < 0 ? from : { xid: rows.bigint(last, column.xid), position: rows.bigint(last, column.position) }
  return { from, rows, end }
}

/** The stored schema ids that occur in a page. */
export function schemaIdsOf({ rows }: Page): Set<number> {
  const ids = new Set<number>()
  for (let row = 0; row < rows.length; row++) ids.add(rows.int32(row, column.schemaId))
  return ids
}

/** The payload with the registry's id in its header. The page's memory is ours, so it is written in place. */
function payloadFor(rows: BinaryRows, row: number, registryIds: ReadonlyMap<number, number>): Buffer {
  const payload = rows.bytes(row, column.payload)
  const storedId = rows.int32(row, column.schemaId)
  const registryId = registryIds.get(storedId)
  if (registryId === undefined) throw new Error(`no registry id is known for stored schema ${storedId}`)
  if (payload.length < wireHeaderLength || payload[0] !== 0) {
    throw new Error(`the payload of event ${rows.ascii(row, column.eventId)} is not in wire format`)
  }
  payload.writeInt32BE(registryId, 1)
  return payload
}

function headersOf(rows: BinaryRows, row: number, positionPrefix: string): Record<string, string> {
  const headers: Record<string, string> = {
    'event-type': rows.ascii(row, column.type),
    'event-id': rows.ascii(row, column.eventId),
    position: positionPrefix + rows.ascii(row, column.positionText),
  }
  if (!rows.isNull(row, column.traceparent)) headers.traceparent = rows.ascii(row, column.traceparent)
  return headers
}

/** The page's records by physical topic, each topic's in the order of the page. */
export function recordsOf(page: Page, origin: PageOrigin, registryIds: ReadonlyMap<number, number>): TopicRecords[] {
  const { rows } = page
  const positionPrefix = `${origin.source}/${origin.epoch}/`
  const byTopic = new Map<string, RecordToSend[]>()
  for (let row = 0; row < rows.length; row++) {
    const topic = rows.ascii(row, column.topic)
    const record: RecordToSend = {
      key: rows.bytes(row, column.key),
      value: payloadFor(rows, row, registryIds),
      headers: headersOf(rows, row, positionPrefix),
      timestampMs: rows.timestampMs(row, column.acceptedAt),
    }
    const records = byTopic.get(topic)
    if (records === undefined) byTopic.set(topic, [record])
    else records.push(record)
  }
  return [...byTopic].map(([topic, records]) => ({ topic: origin.topicPrefix + topic, records }))
}
