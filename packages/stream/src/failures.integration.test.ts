// Dependencies that go away and come back: nothing is skipped, nothing applied twice, and what can go on goes on.
import { inlineStatement, type Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import { createCodec, registryClient } from '@bellyfed/schemas'
import {
  createTcpProxy,
  decoded,
  eventually,
  expectOrderPerKey,
  recordingLogger,
  silentLogger,
  testPlatform,
} from '@bellyfed/testkit'
import { beforeAll, expect, test } from 'vitest'
import { type ConsumerOptions, createConsumer, type StreamConsumer } from './consumer.ts'
import type { RecordToSend } from './ports.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { interleaved, journalMigrations, journalProjection, readJournal } from './testing/journal.ts'

const platform = testPlatform()
const partitionCount = 3
let kafka: Awaited<ReturnType<typeof platform.kafka>>
let events: Awaited<ReturnType<typeof platform.events>>
let database: Awaited<ReturnType<typeof platform.database>>
let pool: Pool

beforeAll(async () => {
  const [log, registry, ownDatabase] = await Promise.all([
    platform.kafka({ topics: ['dish-rankings', 'user-activity', 'badge-events'], partitionCount }),
    platform.events(),
    platform.database([{ schema: 'journal', migrations: journalMigrations }]),
  ])
  kafka = log
  events = registry
  database = ownDatabase
  pool = await database.pool('journal')
})

const quickRetries: RetryPolicy = {
  maxRetries: Number.POSITIVE_INFINITY,
  retryDelay: 5,
  backoffMultiplier: 2,
  maxRetryDelay: 50,
}

function startConsumer(topic: string, options: Partial<ConsumerOptions> = {}): StreamConsumer {
  const consumer = createConsumer({
    kafka: kafka.log,
    group: kafka.group(`journal-${topic}`),
    topics: [topic],
    pool,
    codec: events.codec,
    projection: journalProjection(),
    log: silentLogger,
    metrics: createMetrics('test', { processMetrics: false }),
    retryPolicy: quickRetries,
    ...options,
  })
  platform.onEnd(() => consumer.stop())
  void consumer.start()
  return consumer
}

const toRecord = (user: string, sequence: number, position: bigint): RecordToSend =>
  events.record(decoded.ranked({ user, sequence }), { position })

const users = 30
/** Generous: on a machine that does much else everything takes ten times as long. */
const slowMachineMs = 90_000
const rowsOf = async (topic: string) => (await readJournal(pool)).filter((row) => row.topic === topic)

async function expectAllOnce(topic: string, perUser: number): Promise<void> {
  await eventually(async () => (await rowsOf(topic)).length >= users * perUser, {
    what: 'everything is applied',
    timeoutMs: slowMachineMs,
  })
  const rows = await rowsOf(topic)
  expect(rows).toHaveLength(users * perUser)
  expectOrderPerKey(rows, { key: (row) => row.user_id, sequence: (row) => row.sequence })
}

async function proxiedPool() {
  const target = new URL(database.urlOf('journal'))
  const proxy = await createTcpProxy({ host: target.hostname, port: Number(target.port) })
  platform.onEnd(() => proxy.close())
  const proxied = await database.pool('journal', { url: proxy.through(target.href), connectTimeoutMs: 1_000 })
  return { proxy, proxied }
}

test('a database that goes away again and again under load costs time, not events', {
  timeout: 2 * slowMachineMs,
}, async () => {
  const { proxy, proxied } = await proxiedPool()
  const topic = kafka.topic('dish-rankings')
  const perUser = 100
  await kafka.append('dish-rankings', interleaved(toRecord, { users, perUser }))
  const { log, lines } = recordingLogger()
  const consumer = startConsumer(topic, { log, pool: proxied, chunkLimits: { recordsMax: 60, bytesMax: 1_000_000 } })
  for (const share of [0.1, 0.3, 0.5, 0.7]) {
    await eventually(async () => (await rowsOf(topic)).length > users * perUser * share, {
      what: `${share} is applied`,
    })
    lines.length = 0
    proxy.down()
    await eventually(() => lines.some((line) => line.message?.startsWith('a dependency is away')), {
      what: 'a partition is paused',
    })
    expect(consumer.isLive?.()).toEqual({ live: true })
    proxy.up()
  }
  await expectAllOnce(topic, perUser)
  await consumer.stop()
})

test('a commit whose answer is lost is neither repeated nor forgotten', async () => {
  const { proxy, proxied } = await proxiedPool()
  const topic = kafka.topic('user-activity')
  await kafka.append('user-activity', interleaved(toRecord, { users, perUser: 5 }))
  const isCommitAnswer = (bytes: Buffer) => bytes.includes('COMMIT\0')
  const cut = proxy.cutWhen({ direction: 'to-client', matches: isCommitAnswer, deliver: false })
  const consumer = startConsumer(topic, { pool: proxied })
  await cut
  await consumer.whenCaughtUp()
  await expectAllOnce(topic, 5)
  await consumer.stop()
})

test('sessions ended by the database administrator are survived', async () => {
  const topic = kafka.topic('user-activity')
  const owner = await database.ownerPool('journal')
  const endAll = inlineStatement(
    'end-all',
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'journal' and pid <> pg_backend_pid()",
  )
  const consumer = startConsumer(topic)
  for (let round = 2; round <= 5; round += 1) {
    await kafka.append('user-activity', interleaved(toRecord, { users, perUser: 5, from: (round - 1) * 5 + 1 }))
    await owner.query(endAll)
  }
  await consumer.whenCaughtUp()
  await expectAllOnce(topic, 25)
  await consumer.stop()
})

test('a registry that is away when a schema is met for the first time pauses the partition; nothing becomes a dead letter', async () => {
  const topic = kafka.topic('badge-events')
  const registry = registryClient(events.registryUrl)
  let isAway = true
  let asked = 0
  const codec = createCodec({
    async writerSchema(id) {
      asked += 1
      if (isAway) throw new Error('connect ECONNREFUSED')
      return registry.schemaOf(id)
    },
  })
  await kafka.append('badge-events', interleaved(toRecord, { users, perUser: 2 }))
  const consumer = startConsumer(topic, { codec })
  await eventually(() => asked > 5, { what: 'the registry is asked again' })
  expect(await rowsOf(topic)).toEqual([])
  isAway = false
  await consumer.whenCaughtUp()
  await expectAllOnce(topic, 2)
  await consumer.stop()
})
