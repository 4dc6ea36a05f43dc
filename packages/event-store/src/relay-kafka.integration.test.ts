/** What arrives on real topics: bytes, headers, keys and times as the consumers' contract says. */
import { randomUUID } from 'node:crypto'
import type { Pool } from '@bellyfed/postgres'
import {
  decoded,
  eventually,
  expectExactlyOnce,
  expectOrderPerKey,
  idOf,
  silentLogger,
  spawnProcess,
  type TestDatabase,
  type TestLog,
  testEpochMs,
  testPlatform,
} from '@bellyfed/testkit'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { insertEvents } from './append.ts'
import { createEventStore } from './event-store.ts'
import { eventStoreMigrations } from './migrations.ts'
import { createRelayWaker } from './relay-waker.ts'
import { appendTo, newEvent, nextEvents } from './testing/events.ts'
import { startRelay } from './testing/relays.ts'

const platform = testPlatform()
const schema = 'ranking_api'
let database: TestDatabase
let pool: Pool
let kafka: TestLog

beforeAll(async () => {
  kafka = await platform.kafka({ topics: ['dish-rankings', 'user-activity'], partitionCount: 4 })
})

beforeEach(async () => {
  database = await platform.database([{ schema, migrations: eventStoreMigrations }])
  pool = await database.pool(schema)
})

test('a record has the stored bytes with the registry’s id, and says where it comes from', async () => {
  const { codec, schemaId } = await platform.events()
  const registryId = schemaId('DISH_RANKED')
  const storedId = registryId + 500
  const event = decoded.ranked({ user: 'alice' })
  if (event.type !== 'DISH_RANKED') throw new Error('not a ranking')
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const stored = newEvent({
    eventId: event.event.eventId,
    key: idOf('user', 'alice'),
    userId: idOf('user', 'alice'),
    acceptedAtMs: testEpochMs + 123,
    schemaId: storedId,
    payload: codec.encode(event.type, event.event, storedId),
    metadata: { traceparent },
  })
  const { xid, positions } = await createEventStore(pool).appendEvents(idOf('user', 'alice'), [stored], 0)

  await startRelay({
    pool,
    producer: kafka.log.producer(),
    topicPrefix: kafka.prefix,
    registrySchemaId: async (id) => id - 500,
  })
  const record = await eventually(async () => (await kafka.readAll('dish-rankings'))[0], {
    what: 'the record is there',
  })
  expect(record.key?.toString()).toBe(idOf('user', 'alice'))
  expect(record.timestampMs).toBe(testEpochMs + 123)
  expect(Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, value.toString()]))).toEqual({
    'event-type': 'DISH_RANKED',
    'event-id': stored.eventId,
    position: `ranking-api/1/${xid}/${positions[0]}`,
    traceparent,
  })
  const value = record.value ?? Buffer.alloc(0)
  expect(value.readInt32BE(1)).toBe(registryId)
  expect(value.subarray(5)).toEqual(stored.payload.subarray(5))
  expect(codec.decode(value)).toEqual(event)
})

test('a few thousand events on two topics arrive once each, every user in order', async () => {
  const users = Array.from({ length: 50 }, () => randomUUID())
  const events = Array.from({ length: 60 }, (_, round) =>
    users.flatMap((user) =>
      nextEvents(user, round).map((event) => ({
        ...event,
        topic: round % 3 === 0 ? 'user-activity' : 'dish-rankings',
      })),
    ),
  )
  await startRelay({ pool, producer: kafka.log.producer(), topicPrefix: kafka.prefix, batchSizeMax: 500 })
  for (const round of events) await pool.transaction((tx) => insertEvents(tx, round))

  const expected = events.flat()
  const versions = new Map(expected.map((event) => [event.eventId, event]))
  for (const topic of ['dish-rankings', 'user-activity'] as const) {
    const ids = expected.filter((event) => event.topic === topic).map((event) => event.eventId)
    const isOurs = (headers: Record<string, Buffer>) => versions.has(headers['event-id']?.toString() ?? '')
    const records = await eventually(
      async () => {
        const found = (await kafka.readAll(topic)).filter((record) => isOurs(record.headers))
        return found.length >= ids.length && found
      },
      { what: `${topic} is complete` },
    )
    const arrived = records.map((record) => record.headers['event-id']?.toString() ?? '')
    expectExactlyOnce(arrived, ids)
    const places = arrived.map((id) => ({
      user: versions.get(id)?.stream ?? '',
      version: versions.get(id)?.version ?? 0,
    }))
    const seenRounds = topic === 'user-activity' ? (version: number) => (version - 1) / 3 + 1 : rankOfRankings
    expectOrderPerKey(places, { key: (place) => place.user, sequence: (place) => seenRounds(place.version) })
  }
})

/** Of versions 1, 2, 3 …, every third beginning with 1 is an activity; the place among the others. */
function rankOfRankings(version: number): number {
  return version - 1 - Math.floor((version - 1) / 3)
}

test('a commit that wakes the relay is published without waiting for its poll', async () => {
  const waker = createRelayWaker({ pool, log: silentLogger })
  await waker.start()
  const { relay } = await startRelay({
    pool,
    producer: kafka.log.producer(),
    topicPrefix: kafka.prefix,
    pollMs: 600_000,
  })
  await eventually(() => relay.state === 'leading', { what: 'the relay leads' })
  const stream = randomUUID()
  const [event] = (await appendTo(pool, stream, 0)) || []
  waker.wake()
  await eventually(
    async () => {
      const records = await kafka.readAll('dish-rankings')
      return records.some((record) => record.headers['event-id']?.toString() === event?.eventId)
    },
    { what: 'the event is published' },
  )
  await waker.stop()
})

test('a leader whose process is stopped loses the lead, and nothing is lost or out of order when it goes on', async () => {
  const env = {
    POSTGRES_URL: database.urlOf(schema),
    KAFKA_BROKERS: kafka.brokers.join(','),
    TOPIC_PREFIX: kafka.prefix,
    SILENCE_MS_MAX: '1000',
  }
  const entry = 'packages/event-store/src/testing/relay-process.ts'
  const stopped = spawnProcess({ name: 'relay', entry, env })
  await stopped.untilOutput('state: leading')
  const user = randomUUID()
  const ids: string[] = []
  const append = async (count: number) => {
    const events = await appendTo(pool, user, ids.length, { count })
    ids.push(...(events || []).map((event) => event.eventId))
  }
  const published = async () => {
    const records = (await kafka.readAll('dish-rankings')).filter((record) => record.key?.toString() === user)
    return [...new Set(records.map((record) => record.headers['event-id']?.toString()))]
  }
  const allPublished = async () => (await published()).length === ids.length
  await append(20)
  await eventually(allPublished, { what: 'the first relay publishes' })

  stopped.pause()
  await append(20)
  const { relay } = await startRelay({ pool, producer: kafka.log.producer(), topicPrefix: kafka.prefix })
  await eventually(allPublished, { what: 'the second relay has taken over' })
  expect(relay.state).toBe('leading')

  const outputBefore = stopped.output().length
  stopped.resume()
  await eventually(() => stopped.output().slice(outputBefore).includes('state: standby'), {
    what: 'the first relay has gone on and stands by',
  })
  await append(20)
  await eventually(allPublished, { what: 'publication goes on' })
  expect(await published()).toEqual(ids)
})
