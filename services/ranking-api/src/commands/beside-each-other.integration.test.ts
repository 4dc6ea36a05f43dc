/** What happens when servers, connections and the database meet at bad moments. */
import { inlineStatement, type Pool } from '@bellyfed/postgres'
import type { Codec } from '@bellyfed/schemas'
import { createTcpProxy, expectNoGaps, type TcpProxy, type TestDatabase, testPlatform } from '@bellyfed/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { rankingApiMigrations, schema } from '../migrations.ts'
import { commandPoolConfig } from './ranking-commands.ts'
import { createServer, createWorldCodec, put, remove, seedWorld, storedUser, userId } from './testing/ranking-world.ts'

const platform = testPlatform()
let database: TestDatabase
let pool: Pool
let codec: Codec
let userCount = 20

beforeAll(async () => {
  database = await platform.database([{ schema, migrations: rankingApiMigrations }])
  pool = await database.pool(schema, commandPoolConfig)
  codec = await createWorldCodec()
  await seedWorld(pool, { users: 60, restaurants: 2, dishes: 30 })
})

/** A user that no other test uses; the first twenty are for the two servers. */
function newUser(): number {
  userCount += 1
  return userCount
}

/** A repeatable stream of numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

test('two servers write to the same 20 users at once: no half command, no gap, rows as the events say', async () => {
  const random = randomFrom(7)
  const anyOf = (count: number) => 1 + Math.floor(random() * count)
  const servers = [createServer(pool, codec), createServer(await database.pool(schema, commandPoolConfig), codec)]
  const requests = Array.from({ length: 2_000 }, () => {
    const names = { user: anyOf(20), restaurant: anyOf(2), dish: anyOf(30) }
    if (random() < 0.15) return remove(names)
    const rank = random() < 0.6 ? { rank: anyOf(12) } : {}
    return put({ ...names, ...rank, ratingHundredths: 50 + 25 * anyOf(18), ...(random() < 0.2 ? { notes: 'n' } : {}) })
  })
  // Each server has 32 commands under way at any time.
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, async (_, client) => {
      const statuses = new Map<string, string>()
      for (let at = client; at < requests.length; at += 64) {
        const request = requests[at]
        if (request === undefined) continue
        const outcome = await servers[client % 2]?.execute(request)
        statuses.set(request.commandId, outcome?.status === 'refused' ? outcome.refusal.code : `${outcome?.status}`)
      }
      return statuses
    }),
  )
  const statuses = new Map(outcomes.flatMap((ofClient) => [...ofClient]))
  expect(new Set(statuses.values())).toEqual(new Set(['applied', 'unchanged', 'ranking-not-found']))

  const accepted = requests.filter((request) => statuses.get(request.commandId) !== 'ranking-not-found')
  for (let user = 1; user <= 20; user += 1) {
    const stored = await storedUser(pool, codec, user)
    expectNoGaps(stored.sequences)
    expect(stored.version).toBe(stored.sequences.at(-1))
    expect(stored.events.map((event) => event.sequence)).toEqual(stored.sequences)
    expect(stored.rows).toEqual(stored.replayed)
    const mine = accepted.filter((request) => request.userId === userId(user)).map((request) => request.commandId)
    expect(stored.commandIds).toEqual(mine.toSorted())
    const applied = mine.filter((commandId) => statuses.get(commandId) === 'applied')
    expect(new Set(stored.events.map((event) => event.commandId))).toEqual(new Set(applied))
  }
  const metrics = await Promise.all(servers.map((server) => server.metrics.commandConflictsTotal.get()))
  expect(metrics.reduce((sum, { values }) => sum + (values[0]?.value ?? 0), 0)).toBeGreaterThan(0)
})

test('positions follow the versions of each stream', async () => {
  const disorder = inlineStatement(
    'disorder',
    `select count(*)::int as count from (
       select version, row_number() over (partition by stream order by xid, position) as place from events
     ) as placed where version <> place`,
  )
  expect((await pool.query<{ count: number }>(disorder)).rows[0]?.count).toBe(0)
})

describe('a stream that moves between load and write', () => {
  /** Holds the user's stream locked while the command is on its way, and moves it before letting go. */
  async function moveUnder(user: number, command: () => Promise<unknown>): Promise<void> {
    const rival = await pool.session()
    const lock = inlineStatement('lock', 'select version from aggregates where id = $1 for update')
    const move = inlineStatement('move', 'update aggregates set version = version + 1 where id = $1')
    const waiting = inlineStatement(
      'waiting',
      `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
    await rival.query(inlineStatement('begin', 'begin'))
    await rival.query(lock, [userId(user)])
    const outcome = command()
    await expect
      .poll(async () => (await pool.query<{ count: number }>(waiting)).rows[0]?.count, { timeout: 10_000, interval: 5 })
      .toBe(1)
    await rival.query(move, [userId(user)])
    await rival.query(inlineStatement('commit', 'commit'))
    await rival.close()
    await outcome
  }

  test('is loaded anew', async () => {
    const user = newUser()
    const server = createServer(pool, codec)
    await server.put(put({ user, dish: 1 }))
    await moveUnder(user, async () => {
      expect(await server.put(put({ user, dish: 2 }))).toMatchObject({ status: 'applied', events: [{ sequence: 3 }] })
    })
  })

  test('too often is a conflict, and nothing is written', async () => {
    const user = newUser()
    const server = createServer(pool, codec, { attemptsMax: 1 })
    await server.put(put({ user, dish: 1 }))
    await moveUnder(user, async () => {
      const refusal = { code: 'conflict', attempts: 1 }
      expect(await server.put(put({ user, dish: 2 }))).toEqual({ status: 'refused', refusal })
    })
    expect((await storedUser(pool, codec, user)).rows).toHaveLength(1)
  })
})

describe('a lost connection', () => {
  async function throughProxy(): Promise<{ proxy: TcpProxy; proxied: Pool }> {
    const target = new URL(database.urlOf(schema))
    const proxy = await createTcpProxy({ host: target.hostname, port: Number(target.port) })
    platform.onEnd(() => proxy.close())
    const proxied = await database.pool(schema, {
      url: proxy.through(target.href),
      connectTimeoutMs: 1_000,
      ...commandPoolConfig,
    })
    return { proxy, proxied }
  }
  // CommandComplete with the tag COMMIT, as the server sends it.
  const commitAnswer = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1')
  const commitRequest = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1')

  test('instead of the answer to COMMIT: the command was carried out once and is answered', async () => {
    const user = newUser()
    const { proxy, proxied } = await throughProxy()
    const server = createServer(proxied, codec)
    await server.put(put({ user, dish: 1 }))
    const cut = proxy.cutWhen({
      direction: 'to-client',
      matches: (bytes) => bytes.includes(commitAnswer),
      deliver: false,
    })
    const outcome = await server.put(put({ user, dish: 2, ratingHundredths: 400 }))
    await cut
    expect(outcome).toMatchObject({ status: 'applied', created: true, events: [{ sequence: 2 }, { sequence: 3 }] })
    const stored = await storedUser(pool, codec, user)
    expect(stored.sequences).toEqual([1, 2, 3])
    expect(stored.rows).toEqual(stored.replayed)
  })

  test('before COMMIT arrives: nothing is half done, and the command is carried out once', async () => {
    const user = newUser()
    const { proxy, proxied } = await throughProxy()
    const server = createServer(proxied, codec)
    const cut = proxy.cutWhen({
      direction: 'to-server',
      matches: (bytes) => bytes.includes(commitRequest),
      deliver: false,
    })
    const outcome = await server.put(put({ user }))
    await cut
    expect(outcome).toMatchObject({ status: 'applied', events: [{ sequence: 1 }] })
    expect((await storedUser(pool, codec, user)).sequences).toEqual([1])
  })

  test('after COMMIT, and the server gone with it: the next server repeats the stored result', async () => {
    const user = newUser()
    const { proxy, proxied } = await throughProxy()
    const crashing = createServer(proxied, codec, { attemptsMax: 1, settleMsMax: 50 })
    const request = put({ user, ratingHundredths: 400 })
    const cut = proxy.cutWhen({
      direction: 'to-client',
      matches: (bytes) => bytes.includes(commitAnswer),
      deliver: false,
    })
    void cut.then(() => proxy.down())
    expect(await crashing.put(request)).toMatchObject({ status: 'refused', refusal: { code: 'unavailable' } })
    expect(await createServer(pool, codec).put(request)).toMatchObject({ status: 'repeated', created: true })
    expect((await storedUser(pool, codec, user)).sequences).toEqual([1])
  })

  test('before COMMIT, and the server gone with it: the next server carries the command out', async () => {
    const user = newUser()
    const { proxy, proxied } = await throughProxy()
    const crashing = createServer(proxied, codec, { attemptsMax: 1, settleMsMax: 50 })
    const request = put({ user, ratingHundredths: 400 })
    const cut = proxy.cutWhen({
      direction: 'to-server',
      matches: (bytes) => bytes.includes(commitRequest),
      deliver: false,
    })
    void cut.then(() => proxy.down())
    expect(await crashing.put(request)).toMatchObject({ status: 'refused', refusal: { code: 'unavailable' } })
    expect(await createServer(pool, codec).put(request)).toMatchObject({ status: 'applied', created: true })
    expect((await storedUser(pool, codec, user)).sequences).toEqual([1])
  })

  test('for good is refused after bounded attempts, and work goes on when the database is back', async () => {
    const user = newUser()
    const { proxy, proxied } = await throughProxy()
    const server = createServer(proxied, codec, { attemptsMax: 3 })
    proxy.down()
    const refusal = { code: 'unavailable', retryAfterSeconds: 1 }
    expect(await server.put(put({ user }))).toEqual({ status: 'refused', refusal })
    proxy.up()
    expect(await server.put(put({ user }))).toMatchObject({ status: 'applied' })
  })

  test('under load loses nothing and doubles nothing', async () => {
    const users = Array.from({ length: 10 }, newUser)
    const { proxy, proxied } = await throughProxy()
    const server = createServer(proxied, codec)
    let answered = 0
    const outcomes = await Promise.all(
      users.flatMap((user) =>
        Array.from({ length: 20 }, async (_, at) => {
          const outcome = await server.put(put({ user, dish: at + 1, rank: 1 }))
          answered += 1
          if (answered % 50 === 0) proxy.cutAll()
          return outcome.status
        }),
      ),
    )
    expect(new Set(outcomes)).toEqual(new Set(['applied']))
    for (const user of users) {
      const stored = await storedUser(pool, codec, user)
      expectNoGaps(stored.sequences)
      expect(stored.rows).toHaveLength(20)
      expect(stored.rows).toEqual(stored.replayed)
    }
  })
})

test('stop answers what was accepted before it resolves', async () => {
  const user = newUser()
  const server = createServer(pool, codec)
  const outcomes = server.batch(Array.from({ length: 20 }, (_, at) => put({ user, dish: at + 1 })))
  let isAnswered = false
  void outcomes.then(() => {
    isAnswered = true
  })
  await server.stop()
  expect(isAnswered).toBe(true)
  expect((await outcomes).every((outcome) => outcome.status === 'applied')).toBe(true)
  expect(await server.put(put({ user }))).toMatchObject({ status: 'refused', refusal: { code: 'stopping' } })
})
