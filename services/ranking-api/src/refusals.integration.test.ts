import { inlineStatement } from '@bellyfed/postgres'
import { idOf } from '@bellyfed/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Ask, apiUnderTest } from './testing/api-under-test.ts'

interface ProblemBody {
  type: string
  title: string
  detail: string
  traceId: string
  errors?: { field: string; rule: string; message: string }[]
  list?: unknown[]
}

const { ask, seed, rankingPath, pool } = await apiUnderTest()
const path = rankingPath('alice', 'noodle-bar', 'ramen')
const counts = inlineStatement(
  'count-everything',
  `select (select count(*) from events) as events, (select count(*) from user_rankings) as rankings,
     (select count(*) from command_results) as results, (select coalesce(sum(version), 0) from aggregates) as versions`,
)
const everything = async () => (await pool.query(counts)).rows[0]

beforeAll(async () => {
  await seed({ user: 'alice', restaurant: 'noodle-bar', dishes: ['ramen', 'udon'] })
  await seed({ user: 'bob', restaurant: 'taco-shop', dishes: ['carnitas'] })
  const first = await ask(`PUT ${path}`, {
    as: 'alice',
    body: { rating: 4.35 },
    headers: { 'idempotency-key': 'first' },
  })
  expect(first.status).toBe(201)
})

/** Asks for something that must be refused, and sees that nothing was written. */
async function refused(request: string, options: Ask) {
  const before = await everything()
  const { status, headers, body } = await ask<ProblemBody>(request, options)
  expect(await everything()).toEqual(before)
  expect(headers['content-type']).toContain('application/problem+json')
  expect(body.type).toMatch(/^https:\/\/bellyfed\.dev\/problems\//)
  expect(body.traceId).toMatch(/^[0-9a-f]{32}$/)
  return { status, headers, body, errors: body.errors ?? [] }
}

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString()

describe('bad input is refused with the field and the rule, and nothing is written', () => {
  test.each([
    ['rank 0', { rank: 0 }, 'rank', 'minimum'],
    ['a rank that is no integer', { rank: 1.5 }, 'rank', 'type'],
    ['rating 5.01', { rating: 5.01 }, 'rating', 'maximum'],
    ['a rating with three decimals', { rating: 4.355 }, 'rating', 'multipleOf'],
    ['an unknown field', { stars: 5 }, 'stars', 'additionalProperties'],
    ['a photo that is no URL', { photoUrl: 'photo' }, 'photoUrl', 'format'],
    ['notes that are too long', { notes: 'x'.repeat(2_001) }, 'notes', 'maxLength'],
    ['a time without a zone', { rankedAt: '2026-01-01T00:00:00' }, 'rankedAt', 'format'],
  ])('%s', async (_title, body, field, rule) => {
    const { status, errors } = await refused(`PUT ${path}`, { as: 'alice', body })
    expect(status).toBe(400)
    expect(errors).toContainEqual(expect.objectContaining({ field, rule }))
  })

  test('a rankedAt in the future', async () => {
    const { status, errors } = await refused(`PUT ${path}`, { as: 'alice', body: { rankedAt: tomorrow() } })
    expect(status).toBe(400)
    expect(errors).toContainEqual(expect.objectContaining({ field: 'rankedAt', rule: 'not-in-future' }))
  })

  test('all faults of a body together', async () => {
    const { errors } = await refused(`PUT ${path}`, { as: 'alice', body: { rank: 0, rating: 9, stars: 1 } })
    expect(errors.map(({ field }) => field).sort()).toEqual(['rank', 'rating', 'stars'])
  })

  test('malformed JSON', async () => {
    const { status, body } = await refused(`PUT ${path}`, { as: 'alice', body: '{"rank": 1' })
    expect(status).toBe(400)
    expect(body.type).toContain('malformed-json')
  })

  test('a body over the limit', async () => {
    const { status } = await refused(`PUT ${path}`, { as: 'alice', body: { notes: 'x'.repeat(100_000) } })
    expect(status).toBe(413)
  })

  test('ids that are no UUIDs', async () => {
    const { status, errors } = await refused('PUT /v1/users/me/rankings/here/this', { as: 'service', body: {} })
    expect(status).toBe(400)
    expect(errors.map(({ field }) => field)).toContain('userId')
  })
})

describe('who may not is refused', () => {
  test('without a token', async () => {
    expect((await refused(`PUT ${path}`, { body: { rank: 1 } })).status).toBe(401)
  })

  test('a foreign user', async () => {
    const { status, body } = await refused(`PUT ${path}`, { as: 'bob', body: { rank: 1 } })
    expect(status).toBe(403)
    expect(body.type).toContain('forbidden')
  })

  test.each([
    ['a batch', 'POST /v1/rankings/batch', { commands: [] }],
    ['a restaurant', `PUT /v1/restaurants/${idOf('restaurant', 'noodle-bar')}`, { name: 'Mine' }],
  ])('a user who writes %s', async (_title, request, body) => {
    expect((await refused(request, { as: 'alice', body })).status).toBe(403)
  })
})

describe('what does not fit the stored state is refused', () => {
  test('a dish that is not on the menu', async () => {
    const { status, body, errors } = await refused(`PUT ${rankingPath('alice', 'noodle-bar', 'carnitas')}`, {
      as: 'alice',
      body: {},
    })
    expect(status).toBe(409)
    expect(body.type).toContain('dish-not-on-menu')
    expect(errors).toContainEqual(expect.objectContaining({ field: 'dishId', rule: 'on-menu' }))
  })

  test.each([
    ['user', rankingPath('nobody', 'noodle-bar', 'ramen'), 'userId'],
    ['restaurant', rankingPath('alice', 'nowhere', 'ramen'), 'restaurantId'],
    ['dish', rankingPath('alice', 'noodle-bar', 'nothing'), 'dishId'],
  ])('an unknown %s', async (_what, url, field) => {
    const { status, errors } = await refused(`PUT ${url}`, { as: 'service', body: {} })
    expect(status).toBe(404)
    expect(errors).toContainEqual(expect.objectContaining({ field, rule: 'exists' }))
  })

  test('a command id that was used with another body', async () => {
    const { status, body } = await refused(`PUT ${path}`, {
      as: 'alice',
      body: { rating: 1 },
      headers: { 'idempotency-key': 'first' },
    })
    expect(status).toBe(422)
    expect(body.type).toContain('idempotency-key-reused')
  })

  test('a stale list version, with the list as it stands', async () => {
    const { status, headers, body } = await refused(`PUT ${path}`, {
      as: 'alice',
      body: { rating: 2 },
      headers: { 'if-match': '"77-3"' },
    })
    expect(status).toBe(412)
    expect(headers.etag).toMatch(/^"\d+-1"$/)
    expect(body.list).toEqual([{ dishId: idOf('dish', 'ramen'), rank: 1, rating: 4.35 }])
  })

  test('a withdrawal of what is not ranked', async () => {
    expect((await refused(`DELETE ${rankingPath('alice', 'noodle-bar', 'udon')}`, { as: 'alice' })).status).toBe(404)
  })

  test('another dish type for a ranked dish', async () => {
    const { status, errors } = await refused(`PUT /v1/dishes/${idOf('dish', 'ramen')}`, {
      as: 'service',
      body: { name: 'ramen', dishType: 'soup' },
    })
    expect(status).toBe(409)
    expect(errors).toContainEqual(expect.objectContaining({ field: 'dishType' }))
  })
})

test('a batch gives each command its own verdict', async () => {
  const restaurantId = idOf('restaurant', 'noodle-bar')
  const command = { type: 'put', userId: idOf('user', 'alice'), restaurantId }
  const { status, body } = await ask<{ verdicts: { commandId: string; status: string; problem?: ProblemBody }[] }>(
    'POST /v1/rankings/batch',
    {
      as: 'service',
      body: {
        commands: [
          { ...command, commandId: 'b1', dishId: idOf('dish', 'udon'), rating: 3 },
          { ...command, commandId: 'b2', dishId: idOf('dish', 'carnitas') },
          { ...command, commandId: 'b3', dishId: idOf('dish', 'udon'), rankedAt: tomorrow() },
          { ...command, commandId: 'b1', dishId: idOf('dish', 'udon'), rating: 3 },
        ],
      },
    },
  )
  expect(status).toBe(200)
  expect(body.verdicts.map(({ commandId, status: verdict }) => [commandId, verdict])).toEqual([
    ['b1', 'applied'],
    ['b2', 'refused'],
    ['b3', 'refused'],
    ['b1', 'repeated'],
  ])
  expect(body.verdicts[1]?.problem?.type).toContain('dish-not-on-menu')
  expect(body.verdicts[2]?.problem?.errors).toContainEqual(expect.objectContaining({ field: 'rankedAt' }))
})
