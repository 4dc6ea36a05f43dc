// What can only be done to a broker that nobody else uses: killing it, and having it compact at once.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningKafka, startKafka } from '@bellyfed/local'
import type { Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import { decoded, eventually, expectOrderPerKey, type LogLine, recordingLogger, testPlatform } from '@bellyfed/testkit'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { createConsumer, type StreamConsumer } from './consumer.ts'
import { createKafka } from './kafka/create-kafka.ts'
import type { Log, LogAdmin, LogProducer, RecordToSend } from './ports.ts'
import { interleaved, journalMigrations, journalProjection, readJournal, readPositions } from './testing/journal.ts'

const platform = testPlatform()
const partitionCount = 3
/** A broker takes two seconds to come back; on a machine that does much else, ten times as long. */
const slowMachineMs = 90_000
/** The events of tests are months old: by default the broker would drop them half a minute after its start. */
const keepAll = { 'retention.ms': '-1' }

let events: Awaited<ReturnType<typeof platform.events>>
let pool: Pool
let broker: RunningKafka
let kafka: Log
let admin: LogAdmin
let producer: LogProducer
let lines: LogLine[]
const { log, lines: allLines } = recordingLogger()

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bellyfed-stream-'))
  const [started, registry, database] = await Promise.all([
    startKafka({ directory, overrides: { 'log.cleaner.backoff.ms': '100' } }),
    platform.events(),
    platform.database([{ schema: 'journal', migrations: journalMigrations }]),
  ])
  broker = started
  platform.onEnd(async () => {
    await broker.stop()
    await rm(directory, { recursive: true, force: true })
  })
  events = registry
  pool = await database.pool('journal')
  kafka = createKafka({ brokers: broker.brokers, clientId: 'own' }, log)
  admin = kafka.admin()
  producer = kafka.producer()
  platform.onEnd(async () => {
    await Promise.all([producer.disconnect(), admin.close()])
  })
})

beforeEach(() => {
  allLines.length = 0
  lines = allLines
})

function startConsumer(topic: string): StreamConsumer {
  const consumer = createConsumer({
    kafka,
    group: `journal-${topic}`,
    topics: [topic],
    pool,
    codec: events.codec,
    projection: journalProjection(),
    log,
    metrics: createMetrics('test', { processMetrics: false }),
    retryPolicy: { maxRetries: Number.POSITIVE_INFINITY, retryDelay: 5, backoffMultiplier: 2, maxRetryDelay: 50 },
    roundMs: 200,
  })
  platform.onEnd(() => consumer.stop())
  void consumer.start()
  return consumer
}

const toRecord = (user: string, sequence: number, position: bigint): RecordToSend =>
  events.record(decoded.ranked({ user, sequence }), { position })

const rowsOf = async (topic: string) => (await readJournal(pool)).filter((row) => row.topic === topic)

test('the gaps of a compacted topic are crossed, wherever the position lies in them', {
  timeout: 4 * slowMachineMs,
}, async () => {
  const topic = 'compacted'
  const configs = { ...keepAll, 'cleanup.policy': 'compact', 'segment.ms': '50', 'min.cleanable.dirty.ratio': '0.001' }
  await admin.createTopics([{ topic, partitionCount: 1, replicationFactor: 1, configs }])
  // Thirty values of each of two keys: compaction leaves the last of each, and what is in the active segment.
  const records = interleaved(toRecord, { users: 2, perUser: 30 })
  await producer.send([{ topic, records: records.slice(0, 20) }])
  const first = startConsumer(topic)
  await first.whenCaughtUp()
  await first.stop()
  expect((await readPositions(pool, `journal-${topic}`)).get(`${topic}/0`)).toBe(20n)

  await producer.send([{ topic, records: records.slice(20) }])
  let filler = 0n
  const survivors = await eventually(
    async () => {
      filler += 1n
      // A segment becomes the cleaner's only when a later record rolls it.
      await producer.send([{ topic, records: [toRecord('user-filler', Number(filler), 1_000n + filler)] }])
      const offsets = await offsetsIn(topic)
      return offsets.every((offset) => offset >= 58n) && offsets
    },
    { what: 'the topic is compacted', timeoutMs: slowMachineMs },
  )
  const second = startConsumer(topic)
  await second.whenCaughtUp({ timeoutMs: slowMachineMs })
  const after = (await rowsOf(topic)).filter((row) => row.record_offset >= 20n && row.record_offset <= 59n)
  expect(after.map((row) => row.record_offset)).toEqual(survivors.filter((offset) => offset <= 59n))
  expect(second.streamMetrics()).toMatchObject([{ stopped: [], consumerLag: 0 }])
  await second.stop()
})

/** The offsets that the topic's only partition still has. */
async function offsetsIn(topic: string): Promise<bigint[]> {
  const { end = 0n } = (await admin.offsets(topic)).get(0) ?? {}
  const offsets: bigint[] = []
  const done = Promise.withResolvers<void>()
  const reader = kafka.consumer({ group: 'offsets', topics: [topic] })
  reader.start({
    onAssigned: (assignment) => assignment.map((partition) => reader.seek(partition, 0n)),
    onBatch(batch) {
      offsets.push(...batch.records.map((record) => record.offset))
      if (batch.nextOffset >= end) done.resolve()
    },
    onOutOfPlace: ({ kind }) => done.reject(new Error(kind)),
    onInterrupted: done.reject,
  })
  await done.promise.finally(() => reader.stop())
  return offsets.filter((offset) => offset < end)
}

test('a broker that is killed and comes back under load loses and repeats nothing', {
  timeout: 6 * slowMachineMs,
}, async () => {
  const topic = 'rankings'
  const [users, perUser] = [30, 60]
  await admin.createTopics([{ topic, partitionCount, replicationFactor: 1, configs: keepAll }])
  const consumer = startConsumer(topic)
  const feeding = (async () => {
    for (let from = 1; from <= perUser; from += 2) {
      await producer.send([{ topic, records: interleaved(toRecord, { users, perUser: 2, from }) }])
    }
  })()
  for (const share of [0.2, 0.6]) {
    await eventually(async () => (await rowsOf(topic)).length > users * perUser * share, {
      what: `${share} is applied`,
      timeoutMs: slowMachineMs,
    })
    await broker.kill()
    await broker.restart()
  }
  await feeding
  await eventually(async () => (await rowsOf(topic)).length >= users * perUser, {
    what: 'everything is applied',
    timeoutMs: slowMachineMs,
  })
  const rows = await rowsOf(topic)
  expect(rows).toHaveLength(users * perUser)
  expectOrderPerKey(rows, { key: (row) => row.user_id, sequence: (row) => row.sequence })
  expect(consumer.isLive?.()).toEqual({ live: true })
  expect(consumer.streamMetrics()[0]?.stopped).toEqual([])
  expect(lines.filter((line) => line.level === 'error' || line.level === 'fatal')).toEqual([])
  await consumer.stop()
})
