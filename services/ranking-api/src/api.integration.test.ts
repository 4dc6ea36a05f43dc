import { decodeReceipt } from '@bellyfed/http'
import { idOf } from '@bellyfed/testkit'
import { describe, expect, test } from 'vitest'
import { apiUnderTest } from './testing/api-under-test.ts'

interface CommandBody {
  status: string
  commandId: string
  ranking?: { rank: number; rating: number | null; notes: string | null }
  listEtag: string
  events: { sequence: number; cause: string; dishId: string }[]
  receipt: string
}
interface PageBody {
  rankings: { dishId: string; rank: number }[]
  nextCursor: string | null
}

const { ask, seed, rankingPath } = await apiUnderTest()

describe('rankings', () => {
  test('a new ranking is 201 with events, the list’s ETag and a receipt for its user', async () => {
    await seed({ user: 'ann', restaurant: 'r1', dishes: ['d1', 'd2', 'd3'] })
    const path = rankingPath('ann', 'r1', 'd1')
    const { status, headers, body } = await ask<CommandBody>(`PUT ${path}`, {
      as: 'ann',
      body: { rating: 4.35, notes: 'crisp' },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ status: 'applied', ranking: { rank: 1, rating: 4.35, notes: 'crisp' } })
    expect(body.events).toMatchObject([{ sequence: 1, cause: 'ranked' }])
    expect(headers.etag).toBe(body.listEtag)
    expect(decodeReceipt(body.receipt)).toMatchObject({ source: 'ranking-api', epoch: 1, key: idOf('user', 'ann') })

    const read = await ask(`GET ${path}`, { as: 'ann' })
    expect(read.body).toMatchObject({ rank: 1, rating: 4.35, notes: 'crisp' })
    expect((await ask(`GET ${path}`, { as: 'ann', headers: { 'if-none-match': body.listEtag } })).status).toBe(304)
  })

  test('the same command id gives the stored answer again, to the same user only', async () => {
    await seed({ user: 'ben', restaurant: 'r2', dishes: ['d4'] })
    await seed({ user: 'eve', restaurant: 'r2', dishes: ['d4'] })
    const options = { body: { rating: 3 }, headers: { 'idempotency-key': 'k1' } }
    const first = await ask<CommandBody>(`PUT ${rankingPath('ben', 'r2', 'd4')}`, { as: 'ben', ...options })
    const again = await ask<CommandBody>(`PUT ${rankingPath('ben', 'r2', 'd4')}`, { as: 'ben', ...options })
    const other = await ask<CommandBody>(`PUT ${rankingPath('eve', 'r2', 'd4')}`, { as: 'eve', ...options })
    expect(again.body).toEqual({ ...first.body, status: 'repeated' })
    expect(again.status).toBe(201)
    expect(other.body.status).toBe('applied')
  })

  test('of two devices with the same ETag the later one gets 412 and the list as it stands', async () => {
    await seed({ user: 'cid', restaurant: 'r3', dishes: ['d5', 'd6'] })
    const first = await ask<CommandBody>(`PUT ${rankingPath('cid', 'r3', 'd5')}`, { as: 'cid', body: {} })
    const guarded = { as: 'cid', headers: { 'if-match': first.body.listEtag } }
    const winner = await ask(`PUT ${rankingPath('cid', 'r3', 'd6')}`, { ...guarded, body: { rank: 1 } })
    const loser = await ask<{ list: unknown }>(`PUT ${rankingPath('cid', 'r3', 'd5')}`, {
      ...guarded,
      body: { rank: 2 },
    })
    expect([winner.status, loser.status]).toEqual([201, 412])
    expect(loser.body.list).toEqual([
      { dishId: idOf('dish', 'd6'), rank: 1, rating: null },
      { dishId: idOf('dish', 'd5'), rank: 2, rating: null },
    ])
  })

  test('a withdrawal closes the run behind it', async () => {
    await seed({ user: 'dan', restaurant: 'r4', dishes: ['d7', 'd8'] })
    for (const dish of ['d7', 'd8']) await ask(`PUT ${rankingPath('dan', 'r4', dish)}`, { as: 'dan', body: {} })
    const removed = await ask<CommandBody>(`DELETE ${rankingPath('dan', 'r4', 'd7')}`, { as: 'dan' })
    expect(removed.status).toBe(200)
    expect(removed.body.events.map(({ cause }) => cause)).toEqual(['withdrawn', 'shifted'])
    expect(removed.body.ranking).toBeUndefined()
    const page = await ask<PageBody>(`GET /v1/users/${idOf('user', 'dan')}/rankings`, { as: 'dan' })
    expect(page.body.rankings.map(({ dishId, rank }) => [dishId, rank])).toEqual([[idOf('dish', 'd8'), 1]])
  })

  test('pages give every ranking once', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `p${index}`)
    await seed({ user: 'fay', restaurant: 'r5', dishes: names })
    await seed({ user: 'fay', restaurant: 'r6', dishes: names })
    for (const name of names) {
      await ask(`PUT ${rankingPath('fay', 'r5', name)}`, { as: 'fay', body: {} })
      await ask(`PUT ${rankingPath('fay', 'r6', name)}`, { as: 'fay', body: { rank: 1 } })
    }
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const url: string = `/v1/users/${idOf('user', 'fay')}/rankings?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`
      const { body } = await ask<PageBody>(`GET ${url}`, { as: 'fay' })
      seen.push(...body.rankings.map(({ dishId, rank }) => `${dishId} ${rank}`))
      cursor = body.nextCursor
    }
    expect(seen).toHaveLength(14)
    expect(new Set(seen).size).toBeGreaterThanOrEqual(13)
  })
})

describe('the catalogue', () => {
  const path = `/v1/restaurants/${idOf('restaurant', 'catalogued')}`
  const put = (body: object, headers: Record<string, string> = {}) =>
    ask(`PUT ${path}`, { as: 'service', body, headers })

  test('a PUT creates, changes and repeats; the version rises only with a change', async () => {
    const created = await put({ name: 'Lucha', city: 'San Diego', latitude: 32.8789964, cuisineTypes: ['Mexican'] })
    const repeated = await put({ name: 'Lucha', city: 'San Diego', latitude: 32.8789964, cuisineTypes: ['Mexican'] })
    const changed = await put({ name: 'Lucha Libre', city: 'San Diego' })
    expect([created, repeated, changed].map(({ status, body }) => [status, body.version])).toEqual([
      [201, 1],
      [200, 1],
      [200, 2],
    ])
    expect(created.body).toMatchObject({ latitude: 32.8789964, cuisineTypes: ['Mexican'] })
    expect((await ask(`GET ${path}`, { as: 'ann' })).body).toMatchObject({ name: 'Lucha Libre', latitude: null })
  })

  test('If-None-Match: * creates only, If-Match guards a change', async () => {
    const { headers } = await ask(`GET ${path}`, { as: 'service' })
    expect((await put({ name: 'Other' }, { 'if-none-match': '*' })).status).toBe(412)
    expect((await put({ name: 'Other' }, { 'if-match': '"1"' })).status).toBe(412)
    expect((await put({ name: 'Other' }, { 'if-match': String(headers.etag) })).status).toBe(200)
    const absent = `/v1/restaurants/${idOf('restaurant', 'absent')}`
    const required = { as: 'service', body: { name: 'x' }, headers: { 'if-match': '*' } }
    expect((await ask(`PUT ${absent}`, required)).status).toBe(412)
  })

  test('a name that another user has is refused with the field', async () => {
    await ask(`PUT /v1/users/${idOf('user', 'u1')}`, { as: 'service', body: { username: 'taken' } })
    const { status, body } = await ask(`PUT /v1/users/${idOf('user', 'u2')}`, { as: 'u2', body: { username: 'taken' } })
    expect(status).toBe(409)
    expect(body.errors).toMatchObject([{ field: 'username' }])
  })

  test('a menu item of an unknown dish is 404', async () => {
    const { status } = await ask(`PUT ${path}/menu/${idOf('dish', 'unknown')}`, { as: 'service', body: {} })
    expect(status).toBe(404)
  })
})

test('the best dishes of a city come with their counts, most often at rank 1 first', async () => {
  await ask(`PUT /v1/restaurants/${idOf('restaurant', 'best')}`, {
    as: 'service',
    body: { name: 'best', city: 'Lyon' },
  })
  for (const dish of ['b1', 'b2']) {
    await ask(`PUT /v1/dishes/${idOf('dish', dish)}`, { as: 'service', body: { name: dish, dishType: 'quenelle' } })
    await ask(`PUT /v1/restaurants/${idOf('restaurant', 'best')}/menu/${idOf('dish', dish)}`, {
      as: 'service',
      body: {},
    })
  }
  for (const [user, rating] of [
    ['g1', 4],
    ['g2', 4.51],
  ] as const) {
    await ask(`PUT /v1/users/${idOf('user', user)}`, { as: 'service', body: { username: user } })
    await ask(`PUT ${rankingPath(user, 'best', 'b2')}`, { as: user, body: { rating } })
  }
  await ask(`PUT ${rankingPath('g1', 'best', 'b1')}`, { as: 'g1', body: { rating: 2 } })
  const { body } = await ask<{ dishes: object[] }>('GET /v1/dishes/best?city=Lyon&dishType=quenelle', { as: 'g1' })
  expect(body.dishes).toMatchObject([
    { dishId: idOf('dish', 'b2'), oneBestCount: 2, rankingCount: 2, ratingMean: 4.26 },
    { dishId: idOf('dish', 'b1'), oneBestCount: 0, rankingCount: 1, ratingMean: 2 },
  ])
})

test('when history is away the gateway says so as a problem, without its address', async () => {
  const { status, headers, body } = await ask(`GET /v1/users/${idOf('user', 'ann')}/history`, { as: 'ann' })
  expect(status).toBe(503)
  expect(headers['content-type']).toContain('application/problem+json')
  expect(JSON.stringify(body)).not.toContain('127.0.0.1')
})

test('OpenAPI names every route with its problems', async () => {
  const { status, body } = await ask<{ paths: Record<string, Record<string, { responses: object }>> }>(
    'GET /openapi.json',
  )
  expect(status).toBe(200)
  const put = body.paths['/v1/users/{userId}/rankings/{restaurantId}/{dishId}']?.put
  expect(Object.keys(put?.responses ?? {})).toEqual(expect.arrayContaining(['200', '201', '4XX']))
  expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/v1/rankings/batch', '/v1/users/{userId}/history']))
})
