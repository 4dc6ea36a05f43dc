// What a consumer must never do by itself: go on at another offset than the one it stopped at. kafkajs resets an offset
// that is out of range, and reads a recreated topic as if it were the old one.
import { inlineStatement, type Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import { decoded, eventually, recordingLogger, silentLogger, testPlatform } from '@bellyfed/testkit'
import { beforeAll, expect, test } from 'vitest'
import { type ConsumerOptions, createConsumer, type StreamConsumer } from './consumer.ts'
import type { RecordToSend } from './ports.ts'
import { interleaved, journalMigrations, journalProjection, readJournal, readPositions } from './testing/journal.ts'

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
const groupOf = (topic: Topic) => kafka.group(`journal-${topic}`)

function startConsumer(topic: Topic, options: Partial<ConsumerOptions> = {}): StreamConsumer {
  const consumer = createConsumer({
    kafka: kafka.log,
    group: groupOf(topic),
    topics: [kafka.topic(topic)],
    pool,
    codec: events.codec,
    projection: journalProjection(),
    log: silentLogger,
    metrics: createMetrics('test', { processMetrics: false }),
    roundMs: 50,
    ...options,
  })
  platform.onEnd(() => consumer.stop())
  void consumer.start()
  return consumer
}

const toRecord = (user: string, sequence: number, position: bigint): RecordToSend =>
  events.record(decoded.ranked({ user, sequence }), { position })

/** Twenty users, so that every partition has some. */
const append = (topic: Topic, from: number, perUser: number) =>
  kafka.append(topic, interleaved(toRecord, { users: 20, perUser, from }))

const countOf = async (topic: Topic, partition: number) =>
  (await readJournal(pool)).filter((row) => row.topic === kafka.topic(topic) && row.partition === partition).length

const moveTo = inlineStatement(
  'move-position',
  'update consumer_positions set next_offset = $1 where topic = $2 and partition = $3',
)
const ofAnotherCluster = inlineStatement(
  'of-another-cluster',
  "update consumer_positions set cluster_id = 'AAAAAAAAAAAAAAAAAAAAAA' where topic = $1",
)

const stoppedOf = (consumer: StreamConsumer) => consumer.streamMetrics().flatMap((metrics) => metrics.stopped)

test('an offset below the log start, or above its end, stops that partition alone, with an error that says what to do', async () => {
  await append('dish-rankings', 1, 5)
  const first = startConsumer('dish-rankings')
  await first.whenCaughtUp()
  await first.stop()
  await append('dish-rankings', 6, 5)
  const ends = await kafka.admin.offsets(kafka.topic('dish-rankings'))
  const endOf = (partition: number) => ends.get(partition)?.end ?? 0n
  await kafka.admin.deleteRecordsBefore(kafka.topic('dish-rankings'), new Map([[0, endOf(0) - 1n]]))
  await pool.query(moveTo, [endOf(1) + 100n, kafka.topic('dish-rankings'), 1])
  const [inZero, inOne] = [await countOf('dish-rankings', 0), await countOf('dish-rankings', 1)]

  const second = startConsumer('dish-rankings')
  await second.whenProcessed({ topic: kafka.topic('dish-rankings'), partition: 2, nextOffset: endOf(2) })
  const stopped = await eventually(
    () => {
      const found = stoppedOf(second)
      return found.length === 2 && found
    },
    { what: 'two partitions have stopped' },
  )
  const reasons = new Map(stopped.map(({ partition, reason }) => [partition, reason]))
  expect(reasons.get(0)).toMatch(/below the log's start .* Nothing was skipped or reset. Run `npm run reconcile`/)
  expect(reasons.get(1)).toMatch(/above the log's end .* Run `npm run reconcile`/)
  expect(await countOf('dish-rankings', 0)).toBe(inZero)
  expect(await countOf('dish-rankings', 1)).toBe(inOne)
  expect(await countOf('dish-rankings', 2)).toBe(Number(endOf(2)))
  // The process goes on: an operator has to decide, a restart would not help.
  expect(second.isLive?.()).toEqual({ live: true })
  await second.stop()
})

test('records that vanish ahead of a running consumer stop the partition instead of resetting it', async () => {
  const held = Promise.withResolvers<void>()
  await append('user-activity', 1, 10)
  const { log, lines } = recordingLogger()
  const consumer = startConsumer('user-activity', {
    log,
    chunkLimits: { recordsMax: 5, bytesMax: 1_000_000 },
    bufferedRecordsMax: 5,
    // One record a fetch or so: the client has to come back to the broker for the rest.
    client: { fetchBytesPerPartitionMax: 1 },
    projection: journalProjection('journal', () => held.promise),
  })
  await eventually(() => consumer.streamMetrics()[0]?.partitionCount === partitionCount, { what: 'assigned' })
  const ends = await kafka.admin.offsets(kafka.topic('user-activity'))
  const allButLast = new Map([...ends].map(([partition, { end }]) => [partition, end - 1n]))
  await kafka.admin.deleteRecordsBefore(kafka.topic('user-activity'), allButLast)
  held.resolve()

  await eventually(() => stoppedOf(consumer).length === partitionCount, { what: 'all partitions have stopped' })
  for (const { reason } of stoppedOf(consumer)) expect(reason).toMatch(/below the log's start/)
  const positions = await readPositions(pool, groupOf('user-activity'))
  for (const [key, position] of positions) {
    const partition = Number(key.split('/')[1])
    expect(await countOf('user-activity', partition)).toBe(Number(position))
    expect(position).toBeLessThan(allButLast.get(partition) ?? 0n)
  }
  expect(lines.filter((line) => line.message === 'fetching went astray; checking the position').length).toBeGreaterThan(
    0,
  )
  await consumer.stop()
})

test('a topic that was deleted and created again stops its partitions, while another topic goes on', async () => {
  await append('badge-events', 1, 4)
  await append('wingman-sessions', 1, 4)
  const both = {
    group: kafka.group('journal-both'),
    topics: [kafka.topic('badge-events'), kafka.topic('wingman-sessions')],
  }
  const first = startConsumer('badge-events', both)
  await first.whenCaughtUp()
  await first.stop()

  const topic = kafka.topic('badge-events')
  await kafka.admin.deleteTopics([topic])
  await eventually(async () => (await kafka.admin.topicId(topic)) === undefined, { what: 'the topic is gone' })
  await eventually(
    async () => {
      await kafka.admin.createTopics([{ topic, partitionCount, replicationFactor: 1, configs: {} }])
      return true
    },
    { what: 'the topic is there again' },
  )
  // More records than before, so that every position would be in range.
  await append('badge-events', 1, 9)
  await append('wingman-sessions', 5, 4)

  const second = startConsumer('badge-events', both)
  const ends = await kafka.admin.offsets(kafka.topic('wingman-sessions'))
  for (const [partition, { end }] of ends) {
    await second.whenProcessed({ topic: kafka.topic('wingman-sessions'), partition, nextOffset: end })
  }
  await eventually(() => stoppedOf(second).length === partitionCount, { what: 'the recreated topic has stopped' })
  for (const { reason } of stoppedOf(second)) expect(reason).toMatch(/was deleted and created again.*npm run reconcile/)
  const rows = (await readJournal(pool)).filter((row) => row.topic === topic)
  expect(rows).toHaveLength(20 * 4)
  await second.stop()
})

test('a topic that is recreated under a running consumer is noticed', async () => {
  const topic = kafka.topic('wingman-sessions')
  // Rounds are too far apart to notice it: the failed fetch has to.
  const consumer = startConsumer('wingman-sessions', { roundMs: 600_000 })
  await consumer.whenCaughtUp()
  const before = (await readJournal(pool)).filter((row) => row.topic === topic).length
  await kafka.admin.deleteTopics([topic])
  await eventually(
    async () => {
      await kafka.admin.createTopics([{ topic, partitionCount, replicationFactor: 1, configs: {} }])
      return true
    },
    { what: 'the topic is there again' },
  )
  await append('wingman-sessions', 1, 20)
  await eventually(() => stoppedOf(consumer).length === partitionCount, { what: 'the recreated topic has stopped' })
  for (const { reason } of stoppedOf(consumer)) expect(reason).toMatch(/npm run reconcile/)
  expect((await readJournal(pool)).filter((row) => row.topic === topic)).toHaveLength(before)
  await consumer.stop()
})

test('positions of another cluster are refused', async () => {
  const topic = kafka.topic('user-activity')
  await pool.query(ofAnotherCluster, [topic])
  const consumer = startConsumer('user-activity')
  await eventually(() => stoppedOf(consumer).length === partitionCount, { what: 'all partitions have stopped' })
  for (const { reason } of stoppedOf(consumer))
    expect(reason).toMatch(/belongs to Kafka cluster AAAAAAAAAAAAAAAAAAAAAA/)
  await consumer.stop()
})
