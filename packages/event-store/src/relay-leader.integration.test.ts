/** Who publishes, and what happens when the one that does is paused, killed, cut off or told to stop. */
import { randomUUID } from 'node:crypto'
import { inlineStatement, type Pool } from '@bellyfed/postgres'
import {
  createTcpProxy,
  eventually,
  expectExactlyOnce,
  recordingLogger,
  type TestDatabase,
  testPlatform,
} from '@bellyfed/testkit'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { insertEvents } from './append.ts'
import { ClusterBehindLog } from './epoch.ts'
import { eventStoreMigrations } from './migrations.ts'
import { loadCursor, moveCursor } from './relay-cursor.ts'
import { appendTo, nextEvents } from './testing/events.ts'
import { type RecordingProducer, recordingProducer } from './testing/recording-producer.ts'
import { readMetric, startRelay } from './testing/relays.ts'

const platform = testPlatform()
const schema = 'ranking_api'
const source = 'ranking-api'
let database: TestDatabase
let pool: Pool
let owner: Pool

beforeEach(async () => {
  database = await platform.database([{ schema, migrations: eventStoreMigrations }])
  pool = await database.pool(schema)
  owner = await database.ownerPool(schema)
})

async function append(count: number): Promise<string[]> {
  const stream = randomUUID()
  const events = nextEvents(stream, 0, count)
  await pool.transaction((tx) => insertEvents(tx, events))
  return events.map((event) => event.eventId)
}

const idsOf = (producer: RecordingProducer) => producer.sent.map((record) => record.headers['event-id'] ?? '')

/** Ends the sessions that hold advisory locks: the leader's. */
const endLeader = inlineStatement(
  'end-leader',
  `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database =
    (select oid from pg_database where datname = current_database())`,
)

/** The first occurrence of each id, in order: what a consumer that drops duplicates sees. */
const firstSeen = (ids: readonly string[]) => [...new Set(ids)]

describe('leadership', () => {
  test('is with one of several, and another takes over when it stops', async () => {
    const producers = [recordingProducer(), recordingProducer(), recordingProducer()]
    const relays = await Promise.all(producers.map((producer) => startRelay({ pool, producer })))
    const leaders = () => relays.filter(({ relay }) => relay.state === 'leading')
    await eventually(() => leaders().length === 1, { what: 'one leads' })
    const first = await append(5)
    const all = () => producers.flatMap(idsOf)
    await eventually(() => all().length === 5, { what: 'the first events are published' })

    const [leader] = leaders()
    await leader?.relay.stop()
    const second = await append(5)
    await eventually(() => all().length === 10, { what: 'the others are published by another' })
    expectExactlyOnce(all(), [...first, ...second])
    expect(leaders()).toHaveLength(1)
    expect(leader?.relay.state).toBe('stopped')
    expect(await readMetric((leader ?? relays[0])?.metrics.relayIsLeader as never)).toBe(0)
  })

  test('of another source does not disturb', async () => {
    const [one, other] = [recordingProducer(), recordingProducer()]
    await startRelay({ pool, producer: one, source: 'ranking-api' })
    await startRelay({ pool, producer: other, source: 'badges' })
    const ids = await append(3)
    await eventually(() => one.sent.length === 3 && other.sent.length === 3, { what: 'both publish' })
    expect([idsOf(one), idsOf(other)]).toEqual([ids, ids])
  })
})

describe('a leader that was paused with a page in its hands', () => {
  test('whose lock went to another: nothing is skipped, and the cursor never moves back', async () => {
    const [paused, successor] = [recordingProducer(), recordingProducer()]
    const resumed = Promise.withResolvers<void>()
    paused.beforeAcknowledging = () => resumed.promise
    const first = await append(4)
    const old = await startRelay({ pool, producer: paused, batchSizeMax: 2 })
    await eventually(() => paused.attempts === 1, { what: 'the first leader holds a page' })

    await owner.query(endLeader)
    await startRelay({ pool, producer: successor, batchSizeMax: 2 })
    const second = await append(4)
    await eventually(() => successor.sent.length === 8, { what: 'the second leader has published all' })
    const reached = await loadCursor(pool, source)

    resumed.resolve()
    await eventually(() => old.relay.state === 'standby', { what: 'the first leader stands by' })
    expect(await loadCursor(pool, source)).toEqual(reached)
    const third = await append(2)
    await eventually(() => successor.sent.length === 10, { what: 'publication goes on' })
    expect(idsOf(successor)).toEqual([...first, ...second, ...third])
    expect(idsOf(paused)).toEqual(first.slice(0, 2))
  })

  test('finds the cursor moved, steps down and loads it again: what lies behind is published, nothing twice', async () => {
    const producer = recordingProducer()
    const { log, lines } = recordingLogger()
    const resumed = Promise.withResolvers<void>()
    producer.beforeAcknowledging = () => resumed.promise
    const ids = await append(6)
    const { relay } = await startRelay({ pool, producer, log, batchSizeMax: 2 })
    await eventually(() => producer.attempts === 1, { what: 'the leader holds a page' })

    // Another leader has published four meanwhile.
    const fourth = await pool.query<{ xid: bigint; position: bigint }>(
      inlineStatement(
        'fourth',
        'select xid, position from events order by events.xid, events.position offset 3 limit 1',
      ),
    )
    const [to] = fourth.rows
    if (to === undefined) throw new Error('no fourth event')
    expect(await moveCursor(owner, source, { xid: 0n, position: 0n }, to)).toBe(true)

    resumed.resolve()
    await eventually(() => producer.sent.length === 4, { what: 'the rest is published' })
    expect(idsOf(producer)).toEqual([...ids.slice(0, 2), ...ids.slice(4)])
    expect(lines.map((line) => line.message)).toContain('another relay has moved the cursor: loading it again')
    await eventually(() => relay.state === 'leading', { what: 'it leads again' })
  })

  test('cannot move a cursor that is not where it left it', async () => {
    const start = await loadCursor(pool, source)
    expect(await moveCursor(pool, source, start, { xid: 10n, position: 3n })).toBe(true)
    expect(await moveCursor(pool, source, start, { xid: 20n, position: 9n })).toBe(false)
    expect(await loadCursor(pool, source)).toEqual({ xid: 10n, position: 3n, epoch: 1 })
  })
})

describe('a relay that dies', () => {
  /** Publishes 30 events in pages of 3 and lets the relay die at every third page, as `die` says. */
  async function publishDying(die: () => Promise<void>): Promise<{ ids: string[]; producer: RecordingProducer }> {
    const producer = recordingProducer()
    const ids = await append(30)
    let deaths = 0
    producer.beforeAcknowledging = async () => {
      if (producer.attempts % 3 !== 2) return
      deaths += 1
      await die()
    }
    await startRelay({ pool, producer, batchSizeMax: 3 })
    await eventually(() => firstSeen(idsOf(producer)).length === 30, { what: 'everything is published' })
    expect(deaths).toBeGreaterThan(2)
    return { ids, producer }
  }

  test('between acknowledgement and cursor costs duplicates, never an event', async () => {
    const { ids, producer } = await publishDying(async () => {
      await owner.query(endLeader)
    })
    expect(producer.sent.length).toBeGreaterThan(30)
    expect(firstSeen(idsOf(producer))).toEqual(ids)
  })

  test('before the acknowledgement loses nothing', async () => {
    const { ids, producer } = await publishDying(async () => {
      await owner.query(endLeader)
      throw new Error('no broker')
    })
    expect(firstSeen(idsOf(producer))).toEqual(ids)
  })
})

describe('a dependency that is away', () => {
  test('the broker: the same page is sent until it is acknowledged, and what follows stays behind it', async () => {
    const producer = recordingProducer()
    producer.beforeAcknowledging = () => {
      if (producer.attempts <= 3) throw new Error('no broker')
    }
    const ids = await append(6)
    const { relay, metrics } = await startRelay({ pool, producer, batchSizeMax: 2 })
    await eventually(
      () =>
        relay.check?.().then(
          () => false,
          (error: Error) => error.message === 'no broker',
        ) ?? false,
      {
        what: 'the relay says that it is not ready',
      },
    )
    await eventually(() => producer.sent.length === 6, { what: 'everything is published' })
    expect(idsOf(producer)).toEqual(ids)
    expect(producer.attempts).toBe(6)
    expect(await readMetric(metrics.relayFailuresTotal)).toBe(3)
    await relay.check?.()
  })

  test('the registry: nothing is sent without its id', async () => {
    const producer = recordingProducer()
    let asked = 0
    const registrySchemaId = async (schemaId: number) => {
      asked += 1
      if (asked <= 2) throw new Error('no registry')
      return schemaId + 1_000
    }
    await append(4)
    await startRelay({ pool, producer, registrySchemaId, batchSizeMax: 2 })
    await eventually(() => producer.sent.length === 4, { what: 'everything is published' })
    expect(producer.sent.map((record) => record.value.readInt32BE(1))).toEqual([1_007, 1_007, 1_007, 1_007])
    expect(asked).toBe(3)
  })

  test('the database: the relay comes back by itself', async () => {
    const { hostname, port } = new URL(database.ownerUrl)
    const proxy = await createTcpProxy({ host: hostname, port: Number(port) })
    onTestFinished(() => proxy.close())
    const proxied = await database.pool(schema, { url: proxy.through(database.urlOf(schema)) })
    const producer = recordingProducer()
    const { relay } = await startRelay({ pool: proxied, producer })
    const first = await append(2)
    await eventually(() => producer.sent.length === 2, { what: 'the first events are published' })
    proxy.down()
    await eventually(() => relay.state === 'connecting', { what: 'the relay has noticed' })
    const second = await append(2)
    proxy.up()
    await eventually(() => producer.sent.length >= 4, { what: 'the others are published' })
    expect(firstSeen(idsOf(producer))).toEqual([...first, ...second])
  })
})

describe('a stop', () => {
  test('lets the page in flight be acknowledged and its cursor stored, and sends no other', async () => {
    const producer = recordingProducer()
    const acknowledged = Promise.withResolvers<void>()
    producer.beforeAcknowledging = () => acknowledged.promise
    const ids = await append(6)
    const { relay } = await startRelay({ pool, producer, batchSizeMax: 2 })
    await eventually(() => producer.attempts === 1, { what: 'a page is in flight' })
    const stopped = relay.stop()
    acknowledged.resolve()
    await stopped
    expect(idsOf(producer)).toEqual(ids.slice(0, 2))

    const successor = recordingProducer()
    await startRelay({ pool, producer: successor })
    await eventually(() => successor.sent.length === 4, { what: 'the rest is published by the next relay' })
    expect(idsOf(successor)).toEqual(ids.slice(2))
  })

  test('while the broker is away does not wait for it', async () => {
    const producer = recordingProducer()
    producer.beforeAcknowledging = () => Promise.reject(new Error('no broker'))
    await append(1)
    const { relay } = await startRelay({ pool, producer })
    await eventually(() => producer.attempts > 0, { what: 'a send was tried' })
    await relay.stop()
    expect(relay.state).toBe('stopped')
  })

  test('twice is fine', async () => {
    const { relay } = await startRelay({ pool, producer: recordingProducer() })
    await Promise.all([relay.stop(), relay.stop()])
    await relay.stop()
  })
})

test('a relay refuses to start on a cluster that lies behind the log', async () => {
  await appendTo(pool, randomUUID(), 0)
  await owner.query(inlineStatement('future', `update events set xid = '4000000000000'`))
  await expect(startRelay({ pool, producer: recordingProducer() })).rejects.toThrow(ClusterBehindLog)
})
