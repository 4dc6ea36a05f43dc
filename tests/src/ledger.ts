/**
 * The three places that must tell the same story: the event store, the topic, and the history. Read with clients of the
 * test's own, past every service.
 */
import { createPool, inlineStatement, type Pool } from '@bellyfed/postgres'
import { peekSchemaId } from '@bellyfed/schemas'
import type { LogRecord } from '@bellyfed/stream'
import { createTestEvents, createTestLog, eventually, expectExactlyOnce, expectOrderPerKey } from '@bellyfed/testkit'
import { expect } from 'vitest'
import type { Places } from './platform.ts'

/** One event, as each of the three names it. */
export interface Entry {
  readonly userId: string
  readonly sequence: number
  readonly eventId: string
}

export interface RecordEntry extends Entry {
  readonly partition: number
  readonly schemaId: number
}

/** What a user did, and what followed from it in the same list. */
export interface Change extends Entry {
  readonly commandId: string | null
  readonly cause: string
}

export interface Ledger {
  /** By user and sequence. */
  readonly events: readonly Entry[]
  /** In the order of the topic, partition by partition. */
  readonly records: readonly RecordEntry[]
  /** By user and sequence. */
  readonly history: readonly Change[]
  readonly rankingCount: number
}

export interface Counts {
  readonly events: number
  readonly history: number
  readonly rankings: number
  /** By partition: the offset that its next record will get. */
  readonly recordsPerPartition: readonly number[]
}

const topic = 'dish-rankings'

const selectEvents = inlineStatement(
  'ledger-events',
  `select user_id::text as "userId", version::int as sequence, event_id::text as "eventId"
   from ranking_api.events where topic = '${topic}' order by user_id, version`,
)
const selectHistory = inlineStatement(
  'ledger-history',
  `select user_id::text as "userId", sequence::int as sequence, event_id::text as "eventId", command_id as "commandId", cause
   from history.ranking_history order by user_id, sequence`,
)
const selectCounts = inlineStatement(
  'ledger-counts',
  `select (select count(*) from ranking_api.events where topic = '${topic}')::int as events,
          (select count(*) from history.ranking_history)::int as history,
          (select count(*) from ranking_api.user_rankings)::int as rankings`,
)

/** Reads all three in full. */
export async function readLedger(places: Places): Promise<Ledger> {
  return within(places, async (pool, log) => {
    const { codec } = await createTestEvents(places.registry)
    const [events, history, counts, records] = await Promise.all([
      pool.query<Entry>(selectEvents),
      pool.query<Change>(selectHistory),
      pool.query<Omit<Counts, 'recordsPerPartition'>>(selectCounts),
      log.readAll(topic),
    ])
    const entryOf = (record: LogRecord): RecordEntry => {
      const value = record.value ?? Buffer.alloc(0)
      const { event } = codec.decode(value)
      const { userId, sequence, eventId } = event
      // What the headers and the key say is what consumers go by before they decode anything.
      expect([record.key?.toString(), record.headers['event-id']?.toString()]).toEqual([userId, eventId])
      return { userId, sequence, eventId, partition: record.partition, schemaId: peekSchemaId(value) }
    }
    return {
      events: events.rows,
      records: records.map(entryOf),
      history: history.rows,
      rankingCount: counts.rows[0]?.rankings ?? 0,
    }
  })
}

/** How much each place holds, without reading it. */
export async function readCounts(places: Places): Promise<Counts> {
  return within(places, async (pool, log) => {
    const [{ rows }, offsets] = await Promise.all([
      pool.query<Omit<Counts, 'recordsPerPartition'>>(selectCounts),
      log.admin.offsets(topic),
    ])
    const [counts] = rows
    if (counts === undefined) throw new Error('no counts')
    const ends = [...offsets].sort(([a], [b]) => a - b).map(([, { end }]) => Number(end))
    return { ...counts, recordsPerPartition: ends }
  })
}

/** Waits until the history holds as many events as the store. */
export function untilHistoryHasAll(places: Places, { timeoutMs = 120_000 } = {}): Promise<Counts> {
  return within(places, (pool, log) =>
    eventually(
      async () => {
        const [counts] = (await pool.query<Omit<Counts, 'recordsPerPartition'>>(selectCounts)).rows
        if (counts === undefined || counts.history !== counts.events) throw new Error(JSON.stringify(counts))
        const offsets = await log.admin.offsets(topic)
        const ends = [...offsets].sort(([a], [b]) => a - b).map(([, { end }]) => Number(end))
        return { ...counts, recordsPerPartition: ends }
      },
      { timeoutMs, what: 'the history has every event of the store' },
    ),
  )
}

/**
 * Throws unless all three hold exactly the same events, each once, and each user's in their order without a gap. A
 * record may stand in the topic again, behind itself: publishing is at least once, and consumers are told to expect it.
 * Resolves to how many such records there are.
 */
export function expectAgreement({ events, records, history }: Ledger): { readonly duplicateCount: number } {
  const name = ({ userId, sequence, eventId }: Entry) => `${userId}/${sequence}/${eventId}`
  const order = { key: (entry: Entry) => entry.userId, sequence: (entry: Entry) => entry.sequence }
  const firstSeen = new Map<string, RecordEntry>()
  for (const record of records) if (!firstSeen.has(name(record))) firstSeen.set(name(record), record)

  expectOrderPerKey(events, order)
  expectOrderPerKey(firstSeen.values(), order)
  expectOrderPerKey(history, order)
  expectExactlyOnce(firstSeen.keys(), events.map(name))
  expectExactlyOnce(history.map(name), events.map(name))
  const partitionsPerUser = Map.groupBy(records, (record) => record.userId)
  for (const [userId, ofUser] of partitionsPerUser) {
    expect(new Set(ofUser.map(({ partition }) => partition)).size, `partitions of user ${userId}`).toBe(1)
  }
  return { duplicateCount: records.length - firstSeen.size }
}

/** Clients for one reading: whatever a kill did to earlier connections is of no concern. */
async function within<T>(
  places: Places,
  read: (pool: Pool, log: ReturnType<typeof createTestLog>) => Promise<T>,
): Promise<T> {
  const undos: (() => Promise<unknown>)[] = []
  const pool = createPool({ url: places.postgres, schema: 'public', applicationName: 'e2e ledger', poolSizeMax: 3 })
  try {
    await pool.start()
    const log = createTestLog(places.brokers, '', { add: (undo) => void undos.push(undo) })
    return await read(pool, log)
  } finally {
    for (const undo of undos.reverse()) await undo()
    await pool.stop()
  }
}
