import { randomUUID } from 'node:crypto'
import { CommitOutcomeUnknown, inlineStatement, type Pool, settledTransactionStatus } from '@bellyfed/postgres'
import { createTcpProxy, eventually, expectNoGaps, type TestDatabase, testPlatform } from '@bellyfed/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { advanceStreams, insertEvents } from './append.ts'
import { assertClusterNotBehind, currentEpoch } from './epoch.ts'
import { createEventStore, type EventStore, streamVersions } from './event-store.ts'
import { ConcurrencyError } from './events.ts'
import { eventStoreMigrations } from './migrations.ts'
import { keepSchemas, storedSchemas } from './stored-schemas.ts'
import { collect, newEvent, nextEvents, payloadOf } from './testing/events.ts'

const platform = testPlatform()
const schema = 'ranking_api'
let database: TestDatabase
let pool: Pool
let store: EventStore

beforeAll(async () => {
  database = await platform.database([{ schema, migrations: eventStoreMigrations }])
  pool = await database.pool(schema)
  store = createEventStore(pool)
})

describe('appending', () => {
  test('gives versions without gaps and positions in the order of the events', async () => {
    const stream = randomUUID()
    const first = await store.appendEvents(stream, [newEvent(), newEvent(), newEvent()], 0)
    const second = await store.appendEvents(stream, [newEvent()], 3)
    expect([first.version, second.version]).toEqual([3, 4])
    const positions = [...first.positions, ...second.positions]
    expect(positions).toEqual(positions.toSorted((one, other) => Number(one - other)))
    expectNoGaps((await store.getEvents(stream)).map((event) => event.version))
  })

  test('keeps every field as given', async () => {
    const stream = randomUUID()
    const event = newEvent({
      userId: randomUUID(),
      sessionId: 'session "1", \\ {x}',
      correlationId: 'correlation',
      causationId: randomUUID(),
      commandId: 'NULL',
      payload: payloadOf('\0\xff,{}"\\'),
      metadata: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', quote: '"' },
    })
    const { xid, positions } = await store.appendEvents(stream, [event], 0)
    expect(await store.getEvents(stream)).toEqual([{ ...event, stream, version: 1, xid, position: positions[0] }])
  })

  test('at another version than the stream has says which one it has', async () => {
    const stream = randomUUID()
    await store.appendEvents(stream, [newEvent()], 0)
    for (const expectedVersion of [0, 2]) {
      const refused = store.appendEvents(stream, [newEvent()], expectedVersion)
      await expect(refused).rejects.toThrow(ConcurrencyError)
      await expect(refused).rejects.toMatchObject({ stream, expectedVersion, actualVersion: 1 })
    }
    expect(await store.getEvents(stream)).toHaveLength(1)
  })

  test('of nothing is a mistake', async () => {
    await expect(store.appendEvents(randomUUID(), [], 0)).rejects.toThrow('nothing to append')
  })

  test('is all that the service may do to events', async () => {
    for (const text of ['update events set version = 1', 'delete from events', 'update epoch set epoch = 2']) {
      await expect(pool.query(inlineStatement('forbidden', text))).rejects.toThrow('permission denied')
    }
  })
})

describe('reading', () => {
  test('version 0 is a bound, no version is none', async () => {
    const stream = randomUUID()
    await store.appendEvents(stream, [newEvent(), newEvent(), newEvent()], 0)
    const versions = async (from?: number, to?: number) =>
      (await store.getEvents(stream, from, to)).map((event) => event.version)
    expect(await versions()).toEqual([1, 2, 3])
    expect(await versions(0)).toEqual([1, 2, 3])
    expect(await versions(undefined, 0)).toEqual([])
    expect(await versions(2, 2)).toEqual([2])
    expect(await versions(3)).toEqual([3])
  })

  test('by type and acceptance time, bounds included, in order of publication', async () => {
    const stream = randomUUID()
    const at = (acceptedAtMs: number) => newEvent({ type: 'DISH_RANKING_REMOVED', acceptedAtMs })
    await store.appendEvents(stream, [at(1_000), at(2_000), at(3_000), newEvent({ acceptedAtMs: 2_000 })], 0)
    const times = async (from?: number, to?: number) =>
      (await collect(store.getEventsByType('DISH_RANKING_REMOVED', from, to))).map((event) => event.acceptedAtMs)
    expect(await times()).toEqual([1_000, 2_000, 3_000])
    expect(await times(2_000, 3_000)).toEqual([2_000, 3_000])
    expect(await times(0, 0)).toEqual([])
  })

  test('by user finds the own stream and what other streams say', async () => {
    const user = randomUUID()
    await store.appendEvents(user, [newEvent({ userId: user, acceptedAtMs: 1_000 })], 0)
    await store.appendEvents(randomUUID(), [newEvent({ userId: user, acceptedAtMs: 2_000 }), newEvent()], 0)
    const found = await collect(store.getEventsByUser(user))
    expect(found.map((event) => event.acceptedAtMs)).toEqual([1_000, 2_000])
    expect(await collect(store.getEventsByUser(user, 1_500))).toHaveLength(1)
  })

  test('goes on over more than one page', async () => {
    const stream = randomUUID()
    const events = nextEvents(stream, 0, 2_345)
    await pool.transaction((tx) => insertEvents(tx, events))
    const found = await collect(store.getEventsByUser(stream))
    expectNoGaps(found.map((event) => event.version))
    expect(found).toHaveLength(2_345)
  })
})

describe('snapshots', () => {
  test('the latest, or the latest at or below a version; version 0 has none', async () => {
    const stream = randomUUID()
    await store.saveSnapshot(stream, { version: 2, state: { dishes: 2 } })
    await store.saveSnapshot(stream, { version: 5, state: { dishes: 5 } })
    expect(await store.getSnapshot(stream)).toEqual({ version: 5, state: { dishes: 5 } })
    expect(await store.getSnapshot(stream, 4)).toEqual({ version: 2, state: { dishes: 2 } })
    expect(await store.getSnapshot(stream, 0)).toBeUndefined()
  })

  test('saved again replace the one of their version', async () => {
    const stream = randomUUID()
    await store.saveSnapshot(stream, { version: 2, state: { dishes: 2 } })
    await store.saveSnapshot(stream, { version: 2, state: { dishes: 3 } })
    expect(await store.getSnapshot(stream)).toEqual({ version: 2, state: { dishes: 3 } })
  })
})

describe('advancing many streams', () => {
  let hasty: Pool
  beforeAll(async () => {
    hasty = await database.pool(schema, { statementTimeoutMs: 2_000 })
  })
  const atMs = Date.UTC(2026, 2, 1)

  test('returns those that had the expected version, new and old ones alike', async () => {
    const [fresh, existing, stale, taken] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
    for (const stream of [existing, stale, taken]) await store.appendEvents(stream, [newEvent()], 0)
    const { xid, won } = await pool.transaction(async (tx) => {
      const advanced = await advanceStreams(tx, [
        { stream: fresh, expectedVersion: 0, newVersion: 2, atMs },
        { stream: existing, expectedVersion: 1, newVersion: 4, atMs },
        { stream: stale, expectedVersion: 7, newVersion: 8, atMs },
        { stream: taken, expectedVersion: 0, newVersion: 1, atMs },
      ])
      expect(advanced.xid).toBe(await tx.xid())
      return advanced
    })
    expect(won).toEqual(new Set([fresh, existing]))
    expect(xid).toBeGreaterThan(0n)
    const unknown = randomUUID()
    expect(await streamVersions(pool, [fresh, existing, stale, taken, unknown])).toEqual(
      new Map([
        [fresh, 2],
        [existing, 4],
        [stale, 1],
        [taken, 1],
        [unknown, 0],
      ]),
    )
  })

  test('knows the transaction even when all lost', async () => {
    const stale = { stream: randomUUID(), expectedVersion: 3, newVersion: 4, atMs }
    const { xid, won } = await pool.transaction((tx) => advanceStreams(tx, [stale]))
    expect([won.size, xid > 0n]).toEqual([0, true])
  })

  test('refuses a stream given twice, and a step that is none', async () => {
    const stream = randomUUID()
    const move = { stream, expectedVersion: 0, newVersion: 1, atMs }
    await expect(pool.transaction((tx) => advanceStreams(tx, [move, move]))).rejects.toThrow('moved twice')
    const noStep = { ...move, newVersion: 0 }
    await expect(pool.transaction((tx) => advanceStreams(tx, [noStep]))).rejects.toThrow('cannot move')
  })

  test('must be the first write of its transaction', async () => {
    const late = pool.transaction(async (tx) => {
      await tx.xid()
      return advanceStreams(tx, [{ stream: randomUUID(), expectedVersion: 0, newVersion: 1, atMs }])
    })
    await expect(late).rejects.toThrow('must be the first write')
  })

  test('locks streams in order: while it waits for the first, it holds none of the later', async () => {
    const streams = Array.from({ length: 20 }, () => randomUUID()).sort()
    const [first, last] = [streams[0] ?? '', streams.at(-1) ?? '']
    for (const stream of streams) await store.appendEvents(stream, [newEvent()], 0)
    const move = (stream: string) => ({ stream, expectedVersion: 1, newVersion: 2, atMs })
    const waiting = inlineStatement(
      'waiting',
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like '%advanced as%'`,
    )
    let behind: Promise<{ won: Set<string> }> | undefined
    await pool.transaction(async (tx) => {
      await advanceStreams(tx, [move(first)])
      behind = pool.transaction((other) => advanceStreams(other, streams.toReversed().map(move)))
      await eventually(async () => (await pool.query(waiting)).rowCount === 1, { what: 'the second flush waits' })
      const { won } = await hasty.transaction((third) => advanceStreams(third, [move(last)]))
      expect(won).toEqual(new Set([last]))
    })
    expect((await behind)?.won).toEqual(new Set(streams.slice(1, -1)))
  })

  test('two writers on the same twenty streams: losers load again, no sequence has a gap, nobody deadlocks', async () => {
    const streams = Array.from({ length: 20 }, () => randomUUID())
    const winsPerWriter = 150
    const write = async (writer: Pool, orderOf: (streams: string[]) => string[]): Promise<number> => {
      let wins = 0
      for (let losses = 0; wins < winsPerWriter; ) {
        const versions = await streamVersions(writer, orderOf(streams))
        const moves = [...versions].map(([stream, version]) => ({
          stream,
          expectedVersion: version,
          newVersion: version + 1,
          atMs,
        }))
        const won = await writer.transaction(async (tx) => {
          const advanced = await advanceStreams(tx, moves)
          const winners = moves.filter(({ stream }) => advanced.won.has(stream))
          await insertEvents(
            tx,
            winners.flatMap(({ stream, expectedVersion }) => nextEvents(stream, expectedVersion)),
          )
          return winners.length
        })
        wins += won
        losses += moves.length - won
        if (losses > 100_000) throw new Error('nobody wins')
      }
      return wins
    }
    const other = await database.pool(schema)
    const wins = await Promise.all([write(pool, (ids) => ids), write(other, (ids) => ids.toReversed())])
    const versions = await streamVersions(pool, streams)
    for (const stream of streams) {
      const events = await store.getEvents(stream)
      expectNoGaps(events.map((event) => event.version))
      expect(events).toHaveLength(versions.get(stream) ?? -1)
    }
    expect([...versions.values()].reduce((sum, version) => sum + version, 0)).toBe((wins[0] ?? 0) + (wins[1] ?? 0))
  })
})

describe('an append whose COMMIT was not answered', () => {
  async function appendThroughCut(stream: string, deliver: boolean): Promise<bigint> {
    const { hostname, port } = new URL(database.ownerUrl)
    const proxy = await createTcpProxy({ host: hostname, port: Number(port) })
    onTestFinished(() => proxy.close())
    const proxied = await database.pool(schema, { url: proxy.through(database.urlOf(schema)) })
    void proxy.cutWhen({ direction: 'to-server', matches: (bytes) => bytes.includes('commit\0'), deliver })
    const error = await createEventStore(proxied)
      .appendEvents(stream, [newEvent()], 0)
      .catch((failure: unknown) => failure)
    if (!(error instanceof CommitOutcomeUnknown) || error.xid === undefined) throw new Error(`unexpected: ${error}`)
    return error.xid
  }

  test('is found in the store when it was committed, and is not repeated', async () => {
    const stream = randomUUID()
    const xid = await appendThroughCut(stream, true)
    expect(await settledTransactionStatus(pool, xid, { timeoutMs: 10_000 })).toBe('committed')
    await expect(store.appendEvents(stream, [newEvent()], 0)).rejects.toThrow(ConcurrencyError)
    expect(await store.getEvents(stream)).toHaveLength(1)
  })

  test('can be repeated when it was not', async () => {
    const stream = randomUUID()
    const xid = await appendThroughCut(stream, false)
    expect(await settledTransactionStatus(pool, xid, { timeoutMs: 10_000 })).toBe('aborted')
    expect((await store.appendEvents(stream, [newEvent()], 0)).version).toBe(1)
  })
})

describe('schemas beside the log', () => {
  const definition = (name: string) => JSON.stringify({ type: 'record', name, fields: [] })

  test('keep the registry id, and are kept once however they are written', async () => {
    const spaced = JSON.stringify(JSON.parse(definition('Kept')), null, 2)
    expect(await keepSchemas(pool, [{ schemaId: 101, definition: definition('Kept') }])).toEqual(new Map([[101, 101]]))
    expect(await keepSchemas(pool, [{ schemaId: 101, definition: spaced }])).toEqual(new Map([[101, 101]]))
    expect(await storedSchemas(pool, [101, 102])).toEqual(new Map([[101, definition('Kept')]]))
  })

  test('of another registry, keep the stored id; a new one gets a free id', async () => {
    await keepSchemas(pool, [{ schemaId: 201, definition: definition('Old') }])
    const ids = await keepSchemas(pool, [
      { schemaId: 5, definition: definition('Old') },
      { schemaId: 201, definition: definition('New') },
    ])
    expect(ids.get(5)).toBe(201)
    const free = ids.get(201) ?? 0
    expect(free).toBeGreaterThan(201)
    expect(await storedSchemas(pool, [free])).toEqual(new Map([[free, definition('New')]]))
  })
})

describe('a log from another cluster', () => {
  test('begins in epoch 1', async () => {
    expect(await currentEpoch(pool)).toBe(1)
  })

  test('with transaction ids of the future is refused, and the message says what to do', async () => {
    const restored = await platform.database([{ schema, migrations: eventStoreMigrations }])
    const service = await restored.pool(schema)
    await expect(assertClusterNotBehind(service)).resolves.toBeUndefined()
    await createEventStore(service).appendEvents(randomUUID(), [newEvent()], 0)
    await expect(assertClusterNotBehind(service)).resolves.toBeUndefined()
    const owner = await restored.ownerPool(schema)
    await owner.query(inlineStatement('future', `update events set xid = '4000000000000'`))
    await expect(assertClusterNotBehind(service)).rejects.toThrow(
      /next transaction id, \d+, lies below the event log's highest, 4000000000000/,
    )
  })
})
