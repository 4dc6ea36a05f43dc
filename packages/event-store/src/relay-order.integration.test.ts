/** What may be published, and in which order, while many write at once. */
import { randomUUID } from 'node:crypto'
import { inlineStatement, type Pool } from '@bellyfed/postgres'
import {
  eventually,
  expectExactlyOnce,
  expectOrderPerKey,
  recordingLogger,
  type TestDatabase,
  testPlatform,
} from '@bellyfed/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { advanceStreams, insertEvents } from './append.ts'
import { streamVersions } from './event-store.ts'
import type { PlacedEvent } from './events.ts'
import { eventStoreMigrations } from './migrations.ts'
import { appendTo, nextEvents } from './testing/events.ts'
import { type RecordingProducer, recordingProducer } from './testing/recording-producer.ts'
import { readMetric, startRelay } from './testing/relays.ts'

const platform = testPlatform()
const schema = 'ranking_api'
let database: TestDatabase
let pool: Pool
let producer: RecordingProducer

beforeEach(async () => {
  database = await platform.database([{ schema, migrations: eventStoreMigrations }])
  pool = await database.pool(schema, { poolSizeMax: 30 })
  producer = recordingProducer()
})

const eventIdsOf = (rows: readonly { headers: Record<string, string> }[]) =>
  rows.map((row) => row.headers['event-id'] ?? '')

/** Of each stream, the versions in the order of publication. */
function versionsPublished(events: readonly PlacedEvent[]): { stream: string; version: number }[] {
  const byId = new Map(events.map((event) => [event.eventId, event]))
  return producer.sent.map((record) => {
    const event = byId.get(record.headers['event-id'] ?? '')
    if (event === undefined) throw new Error('published, but never appended')
    return { stream: event.stream, version: event.version }
  })
}

describe('24 writers at once', () => {
  // The commit comes a moment after the insert, as behind any network; the moment differs, so commits overtake.
  const dawdle = inlineStatement('dawdle', 'select pg_sleep(random() * 0.004)')

  async function storm(): Promise<PlacedEvent[]> {
    const writers = Array.from({ length: 24 }, async () => {
      const written: PlacedEvent[] = []
      const stream = randomUUID()
      for (let round = 0; round < 25; round++) {
        const events = nextEvents(stream, written.length, 1 + (round % 3))
        await pool.transaction(async (tx) => {
          const newVersion = written.length + events.length
          await advanceStreams(tx, [{ stream, expectedVersion: written.length, newVersion, atMs: Date.now() }])
          await insertEvents(tx, events)
          await tx.query(dawdle)
        })
        written.push(...events)
      }
      return written
    })
    return (await Promise.all(writers)).flat()
  }

  /** What everybody writes first: remember the highest position seen, ask for what is above it. */
  async function pollNaively(isOver: () => boolean): Promise<string[]> {
    const above = inlineStatement(
      'above',
      'select event_id, position from events where position > $1 order by position limit 1000',
    )
    const seen: string[] = []
    let last = 0n
    for (let isLastRound = false; ; ) {
      const { rows } = await pool.query<{ event_id: string; position: bigint }>(above, [last])
      seen.push(...rows.map((row) => row.event_id))
      last = rows.at(-1)?.position ?? last
      if (isLastRound) return seen
      isLastRound = isOver()
    }
  }

  test('the relay publishes every event once and every stream in order, where a naive poll loses events', async () => {
    await startRelay({ pool, producer })
    let isOver = false
    const naive = pollNaively(() => isOver)
    const events = await storm()
    isOver = true

    await eventually(() => producer.sent.length >= events.length, { what: 'everything is published' })
    expectExactlyOnce(
      eventIdsOf(producer.sent),
      events.map((event) => event.eventId),
    )
    const published = producer.sent.map(({ xid, position }) => ({ xid, position }))
    expect(published).toEqual(published.toSorted((a, b) => Number(a.xid - b.xid) || Number(a.position - b.position)))
    expectOrderPerKey(versionsPublished(events), { key: (row) => row.stream, sequence: (row) => row.version })

    // The same storm, so that the assertions above are known to be able to fail.
    expect(new Set(await naive).size).toBeLessThan(events.length)
  })
})

describe('version 2 is never published before version 1', () => {
  test('under READ COMMITTED, when many writers contend for few streams', async () => {
    await startRelay({ pool, producer })
    const streams = Array.from({ length: 3 }, () => randomUUID())
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      const written: PlacedEvent[] = []
      const stream = streams[writer % streams.length] ?? ''
      while (written.length < 20) {
        const version = (await streamVersions(pool, [stream])).get(stream) ?? 0
        const appended = await appendTo(pool, stream, version)
        if (appended) written.push(...appended)
      }
      return written
    })
    const events = (await Promise.all(writers)).flat()
    await eventually(() => producer.sent.length >= events.length, { what: 'everything is published' })
    expectOrderPerKey(versionsPublished(events), { key: (row) => row.stream, sequence: (row) => row.version })
  })

  /**
   * A transaction that got its id early waits while another with a higher id writes version 1, then writes version 2
   * under its own, lower id.
   */
  async function writeInDisorder(options: { isSerialised?: boolean }): Promise<PlacedEvent[]> {
    const stream = randomUUID()
    const [second] = nextEvents(stream, 1)
    if (second === undefined) throw new Error('no event')
    let first: PlacedEvent[] | false = false
    await pool.transaction(async (tx) => {
      await tx.xid()
      first = await appendTo(pool, stream, 0)
      const move = { stream, expectedVersion: 1, newVersion: 2, atMs: Date.now() }
      const { won } = await advanceStreams(tx, [move], options)
      expect(won.size).toBe(1)
      await insertEvents(tx, [second])
    })
    return [...(first || []), second]
  }

  test('because a transaction that has its id before it decides is refused', async () => {
    await expect(writeInDisorder({})).rejects.toThrow('must be the first write')
  })

  test('while without that refusal it would be', async () => {
    const events = await writeInDisorder({ isSerialised: true })
    await startRelay({ pool, producer })
    await eventually(() => producer.sent.length === 2, { what: 'both are published' })
    expect(versionsPublished(events).map((row) => row.version)).toEqual([2, 1])
  })
})

describe('a long write transaction', () => {
  test('holds publication back, raises the alarm once, and lets everything through when it ends', async () => {
    const { log, lines } = recordingLogger()
    const { metrics } = await startRelay({ pool, producer, log, horizonAlarmMs: 100 })
    // The horizon is the cluster's: other test files may hold it for a moment too.
    const alarmsFor = (xid: bigint) => lines.filter((line) => line.level === 'error' && line.horizon === String(xid))
    const stream = randomUUID()
    const xid = await pool.transaction(async (tx) => {
      const held = await tx.xid()
      await appendTo(pool, stream, 0, { count: 3 })
      await eventually(() => alarmsFor(held).length > 0, { what: 'the alarm is raised' })
      expect(alarmsFor(held)[0]).toMatchObject({
        message: 'publication stands still: a long write transaction holds the horizon',
        source: 'ranking-api',
        holder: { application_name: 'test ranking_api', state: 'idle in transaction' },
      })
      expect(await readMetric(metrics.relayHorizonAgeSeconds)).toBeGreaterThan(0.09)
      expect(producer.sent).toEqual([])
      return held
    })
    await eventually(() => producer.sent.length === 3, { what: 'the events are published' })
    await eventually(async () => (await readMetric(metrics.relayHorizonAgeSeconds)) === 0, {
      what: 'the age is 0 again',
    })
    expect(alarmsFor(xid)).toHaveLength(1)
  })

  test('that only reads holds nothing back', async () => {
    await startRelay({ pool, producer })
    await pool.transaction(
      async (tx) => {
        await tx.query(inlineStatement('look', 'select count(*) from events'))
        await appendTo(pool, randomUUID(), 0)
        await eventually(() => producer.sent.length === 1, { what: 'the event is published' })
      },
      { isolation: 'repeatable read' },
    )
  })

  test('that ends without events and without a notification delays nobody by a poll interval', async () => {
    const { metrics } = await startRelay({ pool, producer, pollMs: 600_000 })
    const session = await pool.session()
    await appendTo(pool, randomUUID(), 0)
    await session.notify('relay_ranking_api')
    await eventually(() => producer.sent.length === 1, { what: 'the relay leads and is idle' })
    await pool.transaction(async (tx) => {
      await tx.xid()
      await appendTo(pool, randomUUID(), 0)
      await session.notify('relay_ranking_api')
      const ageSeconds = () => readMetric(metrics.relayHorizonAgeSeconds)
      await eventually(async () => (await ageSeconds()) > 0, { what: 'the relay has looked twice' })
    })
    await eventually(() => producer.sent.length === 2, { what: 'the event is published' })
    await session.close()
  })
})

describe('pages', () => {
  test('smaller than what is there follow each other without a wait', async () => {
    const streams = Array.from({ length: 250 }, () => randomUUID())
    await pool.transaction((tx) =>
      insertEvents(
        tx,
        streams.flatMap((stream) => nextEvents(stream, 0)),
      ),
    )
    await startRelay({ pool, producer, batchSizeMax: 10, pollMs: 600_000 })
    await eventually(() => producer.sent.length === 250, { what: 'all pages are published' })
    expect(producer.attempts).toBe(25)
    expect(producer.sent.map((record) => record.key)).toEqual(streams)
  })

  test('an event that is appended while a page is on its way waits for no poll', async () => {
    const notified = await pool.session()
    let appended: Promise<unknown> | undefined
    producer.beforeAcknowledging = async () => {
      appended ??= appendTo(pool, randomUUID(), 0).then(() => notified.notify('relay_ranking_api'))
      await appended
    }
    await appendTo(pool, randomUUID(), 0)
    await startRelay({ pool, producer, pollMs: 600_000 })
    await eventually(() => producer.sent.length === 2, { what: 'both are published' })
    await notified.close()
  })

  test('go to the topics of their events, each in order', async () => {
    const stream = randomUUID()
    const events = nextEvents(stream, 0, 6).map((event, index) => ({
      ...event,
      topic: index % 2 === 0 ? 'dish-rankings' : 'user-activity',
    }))
    await pool.transaction((tx) => insertEvents(tx, events))
    await startRelay({ pool, producer, topicPrefix: 'green.' })
    await eventually(() => producer.sent.length === 6, { what: 'all are published' })
    const idsOn = (topic: string) => eventIdsOf(producer.sent.filter((record) => record.topic === topic))
    const appendedTo = (topic: string) => events.filter((event) => event.topic === topic).map((event) => event.eventId)
    expect(idsOn('green.dish-rankings')).toEqual(appendedTo('dish-rankings'))
    expect(idsOn('green.user-activity')).toEqual(appendedTo('user-activity'))
  })
})
