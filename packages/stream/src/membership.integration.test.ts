// Members of a group that come, go, freeze and speak out of turn. The journal has one row for each time an event was
// committed, so an event applied by two members would be there twice.
import type { Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import { decoded, eventually, expectOrderPerKey, recordingLogger, silentLogger, testPlatform } from '@bellyfed/testkit'
import { beforeAll, expect, test } from 'vitest'
import { type ConsumerOptions, createConsumer, type StreamConsumer } from './consumer.ts'
import type { Log, RecordToSend, TopicPartition } from './ports.ts'
import { interleaved, journalMigrations, journalProjection, readJournal, readPositions } from './testing/journal.ts'

const platform = testPlatform()
const partitionCount = 4
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
  pool = await database.pool('journal', { poolSizeMax: 20 })
})

type Topic = 'dish-rankings' | 'user-activity' | 'badge-events' | 'wingman-sessions'
const groupOf = (topic: Topic) => kafka.group(`journal-${topic}`)

function startConsumer(topic: Topic, name: string, options: Partial<ConsumerOptions> = {}): StreamConsumer {
  const consumer = createConsumer({
    kafka: kafka.log,
    group: groupOf(topic),
    topics: [kafka.topic(topic)],
    pool,
    codec: events.codec,
    projection: journalProjection(name),
    log: silentLogger,
    metrics: createMetrics('test', { processMetrics: false }),
    roundMs: 50,
    client: { sessionTimeoutMs: 3_000 },
    ...options,
  })
  platform.onEnd(() => consumer.stop())
  void consumer.start()
  return consumer
}

const toRecord = (user: string, sequence: number, position: bigint): RecordToSend =>
  events.record(decoded.ranked({ user, sequence }), { position })

const append = (topic: Topic, from: number, perUser: number) =>
  kafka.append(topic, interleaved(toRecord, { users: 30, perUser, from }))

const rowsOf = async (topic: Topic) => (await readJournal(pool)).filter((row) => row.topic === kafka.topic(topic))

/** All thirty users' events up to `perUser` are there, each once and in order. */
async function expectAllOnce(topic: Topic, perUser: number): Promise<void> {
  await eventually(async () => (await rowsOf(topic)).length >= 30 * perUser, { what: 'everything is applied' })
  const rows = await rowsOf(topic)
  expect(rows).toHaveLength(30 * perUser)
  expectOrderPerKey(rows, { key: (row) => row.user_id, sequence: (row) => row.sequence })
}

const partitionsOf = (consumer: StreamConsumer) => consumer.streamMetrics()[0]?.partitionCount

/** A pool whose transactions wait at the door: a process that froze between fetching and writing. */
function freezing(inner: Pool): { pool: Pool; freeze(): void; thaw(): void; waiting(): number } {
  let door: PromiseWithResolvers<void> | undefined
  let waiting = 0
  const frozen: Pool = Object.create(inner, {
    transaction: {
      async value(...args: Parameters<Pool['transaction']>) {
        waiting += 1
        await door?.promise
        waiting -= 1
        return inner.transaction(...args)
      },
    },
    query: { value: inner.query.bind(inner) },
  })
  return {
    pool: frozen,
    freeze: () => {
      door = Promise.withResolvers()
    },
    thaw: () => door?.resolve(),
    waiting: () => waiting,
  }
}

test('a member that froze before its write and lost the partition meanwhile writes nothing', async () => {
  const frozen = freezing(pool)
  const { log, lines } = recordingLogger()
  await append('dish-rankings', 1, 3)
  const zombie = startConsumer('dish-rankings', 'zombie', { pool: frozen.pool, log, transactionsMax: partitionCount })
  await zombie.whenCaughtUp()
  frozen.freeze()
  await append('dish-rankings', 4, 3)
  await eventually(() => frozen.waiting() === partitionCount, { what: 'the zombie holds a batch of each partition' })

  const heir = startConsumer('dish-rankings', 'heir')
  await eventually(() => partitionsOf(heir) === 2, { what: 'the heir has half of the partitions' })
  const byHeir = await eventually(
    async () => {
      const rows = (await rowsOf('dish-rankings')).filter((row) => row.written_by === 'heir')
      const found = new Set(rows.map((row) => row.partition))
      return found.size === 2 && found
    },
    { what: 'the heir has written both of its partitions' },
  )

  frozen.thaw()
  await expectAllOnce('dish-rankings', 6)
  const staleCount = () => lines.filter((line) => line.message?.includes('no longer')).length
  await eventually(() => staleCount() >= byHeir.size, { what: 'the zombie has tried to write what the heir has' })
  expect(staleCount()).toBe(byHeir.size)
  await expectAllOnce('dish-rankings', 6)
  await Promise.all([zombie.stop(), heir.stop()])
})

test('a late commit to Kafka, by a member that no longer owns the partition, moves nothing', async () => {
  const topic = kafka.topic('user-activity')
  await append('user-activity', 1, 5)
  const first = startConsumer('user-activity', 'first')
  await first.whenCaughtUp()
  await first.stop()

  // kafkajs sends a commit of its running batch after a rebalance, under the new generation. Here: an own member does.
  const assigned = Promise.withResolvers<readonly TopicPartition[]>()
  const late = kafka.log.consumer({ group: groupOf('user-activity'), topics: [topic] })
  late.start({
    onAssigned: assigned.resolve,
    onBatch: () => undefined,
    onOutOfPlace: () => undefined,
    onInterrupted: () => undefined,
  })
  const partitions = await assigned.promise
  // kafkajs drops a commit that comes before its first fetch.
  await eventually(
    async () => {
      await late.commit(partitions.map((partition) => ({ ...partition, offset: 0n })))
      const told = await kafka.admin.committedOffsets(groupOf('user-activity'), topic)
      return told.size === partitionCount && [...told.values()].every((offset) => offset === 0n)
    },
    { what: 'the late commit has moved what Kafka believes' },
  )
  await late.stop()

  await append('user-activity', 6, 5)
  const second = startConsumer('user-activity', 'second')
  await second.whenCaughtUp()
  await expectAllOnce('user-activity', 10)
  await second.stop()
})

test('a crash between the database commit and the Kafka commit repeats nothing', async () => {
  // No commit ever reaches Kafka: that is what a crash right after each transaction looks like to the next process.
  const silent: Log = {
    ...kafka.log,
    consumer: (options) => {
      const inner = kafka.log.consumer(options)
      return Object.create(inner, {
        commit: { value: async () => undefined },
        ...Object.fromEntries(
          (['start', 'seek', 'pause', 'resume', 'restart', 'stop'] as const).map((name) => [
            name,
            { value: inner[name].bind(inner) },
          ]),
        ),
      })
    },
  }
  for (const round of [1, 2, 3]) {
    await append('badge-events', (round - 1) * 4 + 1, 4)
    const consumer = startConsumer('badge-events', `round ${round}`, { kafka: silent })
    await consumer.whenCaughtUp()
    await consumer.stop()
  }
  expect((await kafka.admin.committedOffsets(groupOf('badge-events'), kafka.topic('badge-events'))).size).toBe(0)
  await expectAllOnce('badge-events', 12)
})

test('members joining and leaving under load neither lose nor repeat nor reorder an event', async () => {
  const perUser = 60
  const feeding = (async () => {
    for (let from = 1; from <= perUser; from += 5) await append('wingman-sessions', from, 5)
  })()
  const options = { chunkLimits: { recordsMax: 40, bytesMax: 1_000_000 } }
  const members = [startConsumer('wingman-sessions', 'one', options)]
  for (const [name, count] of [
    ['two', 2],
    ['three', 3],
  ] as const) {
    members.push(startConsumer('wingman-sessions', name, options))
    await eventually(() => members.every((member) => (partitionsOf(member) ?? 0) > 0 && partitionsOf(member) !== 4), {
      what: `${count} members have partitions`,
    })
  }
  await members.shift()?.stop()
  await feeding
  await expectAllOnce('wingman-sessions', perUser)
  expect(new Set((await rowsOf('wingman-sessions')).map((row) => row.written_by)).size).toBeGreaterThan(1)
  await Promise.all(members.map((member) => member.stop()))
})

test('a stop finishes the batch in flight, tells Kafka, leaves the group at once, and begins nothing new', async () => {
  const held = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const group = kafka.group('journal-drained')
  await append('dish-rankings', 7, 2)
  const consumer = startConsumer('dish-rankings', 'drained', {
    group,
    roundMs: 600_000,
    transactionsMax: 1,
    chunkLimits: { recordsMax: 1, bytesMax: 1 },
    // With a session this long, only a member that leaves lets the next one in soon.
    client: { sessionTimeoutMs: 30_000 },
    projection: journalProjection('drained', async () => {
      entered.resolve()
      await held.promise
    }),
  })
  await entered.promise
  const stopped = consumer.stop()
  held.resolve()
  await stopped
  const rows = (await rowsOf('dish-rankings')).filter((row) => row.written_by === 'drained')
  expect(rows).toHaveLength(1)
  const [row] = rows
  const positions = await readPositions(pool, group)
  expect(positions.get(`${row?.topic}/${row?.partition}`)).toBe(1n)
  const told = await kafka.admin.committedOffsets(group, kafka.topic('dish-rankings'))
  expect(told.get(row?.partition ?? -1)).toBe(1n)

  const next = startConsumer('dish-rankings', 'next', { group })
  await next.whenCaughtUp({ timeoutMs: 10_000 })
  await next.stop()
})
