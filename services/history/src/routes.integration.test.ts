import {
  createHttpServer,
  createSigningKey,
  encodeCursor,
  encodeReceipt,
  type ReceiptState,
  readJwks,
  signToken,
} from '@bellyfed/http'
import type { DecodedEvent } from '@bellyfed/schemas'
import { decoded, expectNoGaps, idOf, silentLogger, testEpochMs, testPlatform } from '@bellyfed/testkit'
import { describe, expect, test } from 'vitest'
import { insertHistoryOf } from './history-projection.ts'
import { historyMigrations, schema } from './migrations.ts'
import { historyRoutes } from './routes.ts'

const platform = testPlatform()
const database = await platform.database([{ schema, migrations: historyMigrations }])
const pool = await database.pool(schema)
const { privateJwk, publicJwks } = await createSigningKey('test')
const audience = { issuer: 'test', audience: 'test' }
let receiptStates: ReceiptState[] = []
const { app } = createHttpServer({
  host: '127.0.0.1',
  port: 0,
  log: silentLogger,
  auth: { keys: readJwks(publicJwks), ...audience },
  openapi: { title: 'history', version: '1' },
  routes: [historyRoutes({ pool, passed: async () => receiptStates.shift() ?? false, receiptWaitMsMax: 60 })],
})

const add = (events: readonly DecodedEvent[]) => pool.transaction((tx) => insertHistoryOf(tx, events))
const tokenOf = (sub: string, role: 'user' | 'service' | 'admin' = 'user') =>
  signToken(privateJwk, { sub, role, ...audience, expiresInSeconds: 60 })

async function get(url: string, { as, headers = {} }: { as?: string; headers?: Record<string, string> } = {}) {
  const token =
    as === 'service'
      ? await tokenOf('caller', 'service')
      : as === undefined
        ? undefined
        : await tokenOf(idOf('user', as))
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await app.inject({ url, headers: { ...authorization, ...headers } })
  return { status: response.statusCode, headers: response.headers, body: response.body === '' ? null : response.json() }
}

const historyOf = (user: string) => `/v1/users/${idOf('user', user)}/history`
const listsOf = (user: string) => `/v1/users/${idOf('user', user)}/lists`

interface Page {
  changes: { version: number; userId: string; eventId: string }[]
  nextCursor: string | null
}

/** Every page of a list; `between` runs after each. */
async function allPages(url: string, as: string, between: () => Promise<unknown> = async () => undefined) {
  const changes: Page['changes'] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body } = await get(`${url}&cursor=${cursor}`.replace(/&cursor=$/, ''), { as })
    expect(status).toBe(200)
    const page = body as Page
    changes.push(...page.changes)
    cursor = page.nextCursor
    await between()
  }
  return changes
}

describe("a user's history", () => {
  test('shows old and new rank and rating, event, version, cause and both times', async () => {
    const one = decoded.updated({
      user: 'shown',
      sequence: 1,
      oldRank: 2,
      newRank: 1,
      oldRatingHundredths: 399,
      newRatingHundredths: 457,
      occurredAtMs: testEpochMs,
      acceptedAtMs: testEpochMs + 5,
    })
    await add([one])
    const { event } = one
    const { body } = await get(historyOf('shown'), { as: 'shown' })
    expect(body).toEqual({
      changes: [
        {
          eventId: event.eventId,
          type: 'DISH_RANKING_UPDATED',
          userId: event.userId,
          version: 1,
          cause: 'ranked',
          dishId: event.dishId,
          dishName: event.dishName,
          dishType: event.dishType,
          restaurantId: event.restaurantId,
          restaurantName: event.restaurantName,
          oldRank: 2,
          newRank: 1,
          oldRating: 3.99,
          newRating: 4.57,
          occurredAt: '2026-03-01T12:00:00.000Z',
          acceptedAt: '2026-03-01T12:00:00.005Z',
          commandId: event.commandId,
        },
      ],
      nextCursor: null,
    })
  })

  test('pages neither lose nor repeat a change while changes are added', async () => {
    let sequence = 0
    const next = () => decoded.updated({ user: 'paged', sequence: ++sequence })
    await add(Array.from({ length: 23 }, next))
    const changes = await allPages(`${historyOf('paged')}?limit=5`, 'paged', () => add([next(), next()]))
    expectNoGaps(changes.map((change) => change.version).reverse())
    expect(changes.length).toBe(23)
  })

  test('a page that ends exactly at the end has no next one', async () => {
    await add([1, 2].map((sequence) => decoded.updated({ user: 'exact', sequence })))
    expect((await get(`${historyOf('exact')}?limit=2`, { as: 'exact' })).body).toMatchObject({ nextCursor: null })
  })

  test('filters by dish, restaurant and dish type', async () => {
    await add([
      decoded.ranked({ user: 'filtered', sequence: 1, dish: 'a', restaurant: 'x', dishType: 'soup' }),
      decoded.ranked({ user: 'filtered', sequence: 2, dish: 'b', restaurant: 'x' }),
      decoded.ranked({ user: 'filtered', sequence: 3, dish: 'a', restaurant: 'y', dishType: 'soup' }),
    ])
    const versions = async (filter: string) =>
      ((await get(`${historyOf('filtered')}?${filter}`, { as: 'filtered' })).body as Page).changes.map((c) => c.version)
    expect(await versions(`dishId=${idOf('dish', 'a')}`)).toEqual([3, 1])
    expect(await versions(`restaurantId=${idOf('restaurant', 'x')}`)).toEqual([2, 1])
    expect(await versions('dishType=soup')).toEqual([3, 1])
    expect(await versions(`dishType=soup&restaurantId=${idOf('restaurant', 'y')}`)).toEqual([3])
  })

  test('is for the user and for services, nobody else', async () => {
    expect((await get(historyOf('shown'))).status).toBe(401)
    expect((await get(historyOf('shown'), { as: 'stranger' })).status).toBe(403)
    expect((await get(historyOf('shown'), { as: 'service' })).status).toBe(200)
  })
})

describe("a dish's history", () => {
  const dishHistory = `/v1/dishes/${idOf('dish', 'shared')}/history`

  test('pages over all users, the last accepted first, without loss or repeats while changes are added', async () => {
    const users = ['u1', 'u2', 'u3', 'u4']
    // Equal acceptance times, as group commit gives them: the rest of the order has to tell rows apart.
    const events = users.flatMap((user) =>
      [1, 2, 3, 4, 5].map((sequence) =>
        decoded.updated({ user, sequence, dish: 'shared', acceptedAtMs: testEpochMs + Math.floor(sequence / 2) }),
      ),
    )
    await add(events)
    let later = 0
    const addLater = () =>
      add([decoded.updated({ user: `later-${later}`, dish: 'shared', acceptedAtMs: testEpochMs + 100 + later++ })])
    const changes = await allPages(`${dishHistory}?limit=3`, 'u1', addLater)
    expect(new Set(changes.map((change) => change.eventId)).size).toBe(changes.length)
    expect(new Set(changes.map((change) => change.eventId))).toEqual(new Set(events.map(({ event }) => event.eventId)))
  })

  test('is for everyone signed in, and keeps command ids to itself', async () => {
    expect((await get(dishHistory)).status).toBe(401)
    const { status, body } = await get(`${dishHistory}?limit=1`, { as: 'stranger' })
    expect(status).toBe(200)
    expect((body as Page).changes[0]).not.toHaveProperty('commandId')
  })
})

describe("a user's lists", () => {
  test('as of now, as of then, before the first act', async () => {
    const at = (second: number) => ({ acceptedAtMs: testEpochMs + second * 1_000 })
    await add([
      decoded.ranked({ user: 'lister', sequence: 1, dish: 'ramen', newRank: 1, newRatingHundredths: 400, ...at(0) }),
      decoded.ranked({ user: 'lister', sequence: 2, dish: 'udon', newRank: 1, ...at(10) }),
      decoded.updated({
        user: 'lister',
        sequence: 3,
        dish: 'ramen',
        oldRank: 1,
        newRank: 2,
        cause: 'shifted',
        oldRatingHundredths: 400,
        ...at(10),
      }),
      decoded.removed({ user: 'lister', sequence: 4, dish: 'udon', ...at(20) }),
    ])
    const shown = async (query: string) => {
      const { body } = await get(`${listsOf('lister')}${query}`, { as: 'lister' })
      const { version, lists } = body as {
        version: number
        lists: { dishes: { rank: number; dishName: string; rating: number | null }[] }[]
      }
      return [
        version,
        ...lists.flatMap((list) => list.dishes.map((dish) => `${dish.rank} ${dish.dishName} ${dish.rating}`)),
      ]
    }
    expect(await shown('?asOf=2026-03-01T11:59:59.999Z')).toEqual([0])
    expect(await shown('?asOf=2026-03-01T12:00:00Z')).toEqual([1, '1 Dish ramen 4'])
    expect(await shown('?asOf=2026-03-01T13:00:10%2B01:00')).toEqual([3, '1 Dish udon null', '2 Dish ramen 4'])
    expect(await shown('')).toEqual([4, '2 Dish ramen 4'])
    expect(await shown('?dishType=soup')).toEqual([4])
  })

  test('carry an entity tag, and are not sent again to who has them', async () => {
    await add([decoded.ranked({ user: 'tagged', sequence: 1 })])
    const first = await get(listsOf('tagged'), { as: 'tagged' })
    expect(first.headers.etag).toBe('"1"')
    const again = await get(listsOf('tagged'), { as: 'tagged', headers: { 'if-none-match': '"1"' } })
    expect([again.status, again.body]).toEqual([304, null])
  })
})

describe('a read with a receipt', () => {
  const receipt = encodeReceipt({ source: 'ranking-api', epoch: 1, xid: 5n, position: 7n, key: idOf('user', 'shown') })

  test.each([historyOf('shown'), listsOf('shown'), `/v1/dishes/${idOf('dish', 'ramen')}/history`])(
    'answers once the projection has passed it, else says 202: %s',
    async (url) => {
      receiptStates = [false, false, true]
      expect((await get(`${url}?after=${receipt}`, { as: 'shown' })).status).toBe(200)
      receiptStates = []
      const { status, headers, body } = await get(`${url}?after=${receipt}`, { as: 'shown' })
      expect([status, headers['retry-after']]).toEqual([202, '1'])
      expect(body).toMatchObject({ type: 'https://bellyfed.dev/problems/not-yet-visible' })
    },
  )

  test('says at once what holds it up', async () => {
    receiptStates = [{ blocked: 'the key is parked' }]
    const { status, body } = await get(`${historyOf('shown')}?after=${receipt}`, { as: 'shown' })
    expect([status, (body as { detail: string }).detail]).toEqual([202, 'held up: the key is parked'])
  })
})

describe('bad input is a problem that names the field', () => {
  const user = idOf('user', 'shown')
  test.each([
    [`/v1/users/${user}/history?limit=0`, 'limit'],
    [`/v1/users/${user}/history?limit=201`, 'limit'],
    [`/v1/users/${user}/history?limit=many`, 'limit'],
    [`/v1/users/${user}/history?dishId=7`, 'dishId'],
    [`/v1/users/${user}/history?restaurant=7`, 'restaurant'],
    [`/v1/users/${user}/history?cursor=nonsense`, 'cursor'],
    [`/v1/users/${user}/history?dishType=%00`, 'dishType'],
    [`/v1/users/${user}/history?cursor=${encodeCursor([0])}`, 'cursor'],
    [`/v1/users/${user}/history?cursor=${encodeCursor([1e300])}`, 'cursor'],
    [`/v1/users/${user}/history?cursor=${encodeCursor(["1' or true"])}`, 'cursor'],
    [`/v1/users/${user}/history?after=nonsense`, 'after'],
    [`/v1/users/${user}/lists?asOf=yesterday`, 'asOf'],
    [`/v1/users/${user}/lists?asOf=2026-03-01T12:00:00`, 'asOf'],
    [`/v1/users/${user}/lists?asOf=2016-12-31T23:59:60Z`, 'asOf'],
    [`/v1/dishes/${user}/history?cursor=${encodeCursor(['2016-12-31T23:59:60Z', user, 1])}`, 'cursor'],
    [`/v1/dishes/${user}/history?cursor=${encodeCursor([5])}`, 'cursor'],
    ['/v1/dishes/NOT-A-UUID/history', 'dishId'],
  ])('%s', async (url, field) => {
    const { status, body } = await get(url, { as: 'shown' })
    expect(status).toBe(400)
    expect((body as { errors: { field: string }[] }).errors.map((error) => error.field)).toEqual([field])
  })
})
