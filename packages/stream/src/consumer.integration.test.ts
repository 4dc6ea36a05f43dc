import type { Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import {
  decoded,
  eventually,
  expectOrderPerKey,
  idOf,
  recordingLogger,
  silentLogger,
  testPlatform,
} from '@bellyfed/testkit'
import { beforeAll, expect, test } from 'vitest'
import { type ConsumerOptions, createConsumer, type StreamConsumer } from './consumer.ts'
import { partitionOf } from './partitioner.ts'
import type { RecordToSend } from './ports.ts'
import { passedReceipt } from './receipts.ts'
import {
  interleaved,
  journalMigrations,
  journalProjection,
  readDead,
  readJournal,
  readPositions,
} from './testing/journal.ts'

const platform = testPlatform()
const partitionCount = 3
let kafka: Awaited<ReturnType<typeof platform.kafka>>
let events: Awaited<ReturnType<typeof platform.events>>
let pool: Pool

beforeAll(async () => {
  const [log, registry, database] = await Promise.all([
    platform.kafka({ topics: ['dish-rankings', 'user-activity', 'badge-events', 'wingman-sessions'], partitionCount }),
    platform.events(),
    platform.database([{ schema: 'journal', migrations: journalMigrations }]),
  ])
  kafka = log
  events = registry
  pool = await database.pool('journal')
})

type Topic = 'dish-rankings' | 'user-activity' | 'badge-events' | 'wingman-sessions'

function startConsumer(topic: Topic, options: Partial<ConsumerOptions> = {}): StreamConsumer {
  const consumer = createConsumer({
    kafka: kafka.log,
    group: kafka.group(`journal-${topic}`),
    topics: [kafka.topic(topic)],
    pool,
    codec: events.codec,
    projection: journalProjection(),
    log: silentLogger,
    metrics: createMetrics('test', { processMetrics: false }),
    ...options,
  })
  platform.onEnd(() => consumer.stop())
  void consumer.start()
  return consumer
}

const toRecord = (user: string, sequence: number, position: bigint): RecordToSend =>
  events.record(decoded.ranked({ user, sequence }), { position })

async function journalOf(topic: Topic) {
  const rows = await readJournal(pool)
  return rows.filter((row) => row.topic === kafka.topic(topic))
}

test('every record is applied once and in order per key, and Kafka is told the positions', async () => {
  await kafka.append('dish-rankings', interleaved(toRecord, { users: 40, perUser: 50 }))
  const consumer = startConsumer('dish-rankings', { roundMs: 50, chunkLimits: { recordsMax: 97, bytesMax: 1_000_000 } })
  await consumer.whenCaughtUp()
  await kafka.append('dish-rankings', interleaved(toRecord, { users: 40, perUser: 5, from: 51 }))
  await consumer.whenCaughtUp()

  const rows = await journalOf('dish-rankings')
  expect(rows.length).toBe(40 * 55)
  expectOrderPerKey(rows, { key: (row) => row.user_id, sequence: (row) => row.sequence })
  const positions = await readPositions(pool, kafka.group('journal-dish-rankings'))
  expect([...positions.values()].reduce((sum, offset) => sum + offset, 0n)).toBe(BigInt(40 * 55))
  await eventually(
    async () => {
      const told = await kafka.admin.committedOffsets(
        kafka.group('journal-dish-rankings'),
        kafka.topic('dish-rankings'),
      )
      expect([...told].sort()).toEqual(
        [...positions].map(([key, offset]) => [Number(key.split('/')[1]), offset]).sort(),
      )
      return true
    },
    { what: 'Kafka has been told the positions' },
  )
  expect(consumer.streamMetrics()).toMatchObject([{ partitionCount, consumerLag: 0, errorRate: 0, stopped: [] }])
  await consumer.stop()
})

test('undecodable records become dead letters with their original bytes while the partition flows', async () => {
  const key = idOf('user', 'dora')
  const good = toRecord('dora', 1, 1n)
  const headers = { ...good.headers, 'event-id': 'event-of-garbage', position: 'ranking-api/1/2/2' }
  const garbage: [string, RecordToSend][] = [
    ['bad-magic', { ...good, headers, value: Buffer.from('{"json": true}') }],
    ['truncated', { ...good, headers: {}, value: good.value?.subarray(0, 9) ?? null }],
    ['unknown-schema', { ...good, headers: {}, value: Buffer.concat([Buffer.of(0, 0x7f, 0, 0, 1), Buffer.from('x')]) }],
    ['no-value', { ...good, headers: { odd: 'ünïcode' }, value: null }],
    ['bad-position', { ...good, headers: { position: 'ranking-api/1/two/3' } }],
  ]
  await kafka.append('user-activity', [good, ...garbage.map(([, record]) => record), toRecord('dora', 2, 3n)])
  const consumer = startConsumer('user-activity')
  await consumer.whenCaughtUp()

  expect((await journalOf('user-activity')).map((row) => row.sequence)).toEqual([1, 2])
  const dead = await readDead(pool)
  expect(dead.map((row) => row.code)).toEqual(garbage.map(([code]) => code))
  expect(dead.map((row) => row.value)).toEqual(garbage.map(([, record]) => record.value))
  expect(dead.map((row) => row.headers)).toEqual(garbage.map(([, record]) => record.headers))
  for (const row of dead) expect(row.key?.toString()).toBe(key)
  expect(dead[0]).toMatchObject({ error_class: 'InvalidPayload', event_id: 'event-of-garbage', retry_count: 0 })

  const projected = { group: kafka.group('journal-user-activity'), topic: kafka.topic('user-activity'), partitionCount }
  const receipt = { source: 'ranking-api', epoch: 1, key }
  expect(await passedReceipt(pool, projected, { ...receipt, xid: 1n, position: 1n })).toBe('passed')
  expect(await passedReceipt(pool, projected, { ...receipt, xid: 3n, position: 3n })).toBe('dead-lettered')
  expect(await passedReceipt(pool, projected, { ...receipt, epoch: 2, xid: 1n, position: 1n })).toBe('behind')
  expect(await passedReceipt(pool, projected, { ...receipt, xid: 4n, position: 4n })).toBe('dead-lettered')
  await consumer.stop()
})

test('what a relay publishes twice is applied once, and what is republished on purpose passes by the marks', async () => {
  const records = interleaved(toRecord, { users: 6, perUser: 10 })
  const consumer = startConsumer('badge-events')
  // A relay that was killed between acknowledgement and cursor: its successor sends the page again and goes on.
  await kafka.append('badge-events', records.slice(0, 40))
  await kafka.append('badge-events', records.slice(20, 60))
  await consumer.whenCaughtUp()
  expect(await journalOf('badge-events')).toHaveLength(60)
  // Marks outlive the process.
  await consumer.stop()
  const next = startConsumer('badge-events')
  await kafka.append('badge-events', records.slice(50, 60))
  await next.whenCaughtUp()
  expect(await journalOf('badge-events')).toHaveLength(60)

  const [first] = records
  if (first === undefined) throw new Error('no record')
  await kafka.append('badge-events', [{ ...first, headers: { ...first.headers, republished: '1' } }])
  await next.whenCaughtUp()
  expect(await journalOf('badge-events')).toHaveLength(61)
  const receipt = { source: 'ranking-api', epoch: 1, key: idOf('user', 'user-5'), xid: 60n, position: 60n }
  const projected = { group: kafka.group('journal-badge-events'), topic: kafka.topic('badge-events'), partitionCount }
  expect(await passedReceipt(pool, projected, receipt)).toBe('passed')
  expect(await passedReceipt(pool, projected, { ...receipt, xid: 61n })).toBe('behind')
  await next.stop()
})

test('a projection that fails stops its partition, the others go on, and the watchdog ends what a restart does not mend', async () => {
  const poisoned = 'user-3'
  const poisonedPartition = partitionOf(idOf('user', poisoned), partitionCount)
  const { log, lines } = recordingLogger()
  const consumer = startConsumer('wingman-sessions', {
    log,
    roundMs: 20,
    stuckMsMax: 1_500,
    projection: journalProjection('journal', (given) => {
      const hit = given.find(
        ({ decoded: { event } }) => event.userId === idOf('user', poisoned) && event.sequence === 3,
      )
      if (hit !== undefined) throw new TypeError('a bug')
    }),
  })
  const fault = Promise.withResolvers<Error>()
  consumer.onFault?.(fault.resolve)
  await kafka.append('wingman-sessions', interleaved(toRecord, { users: 12, perUser: 5 }))

  expect((await fault.promise).message).toContain(`${kafka.topic('wingman-sessions')}/${poisonedPartition}`)
  expect(consumer.isLive?.()).toMatchObject({ live: false })
  const rows = await journalOf('wingman-sessions')
  const others = Array.from({ length: 12 }, (_, user) => idOf('user', `user-${user}`)).filter(
    (user) => partitionOf(user, partitionCount) !== poisonedPartition,
  )
  for (const user of others) expect(rows.filter((row) => row.user_id === user)).toHaveLength(5)
  expect(rows.filter((row) => row.partition === poisonedPartition)).toEqual([])
  expect(consumer.streamMetrics()[0]?.stopped).toEqual([{ partition: poisonedPartition, reason: 'a bug' }])
  expect(lines.filter((line) => line.level === 'error' && line.message === 'partition stopped').length).toBeGreaterThan(
    1,
  )
  expect(lines.filter((line) => line.message?.startsWith('no progress')).length).toBe(1)
  await consumer.stop()
})
