import { expect, test } from 'vitest'
import { bearer, other, problemIn, rankingPath, self, testServer } from './testing/fixtures.ts'

const rateLimit = { windowMs: 60_000, requestsMax: { user: 3, anonymous: 2 } }

test('a caller over the limit is told when to come back, and others are not held up', async () => {
  const server = testServer({ rateLimit })
  const put = (headers: Record<string, string>, url = rankingPath) =>
    server.app.inject({ method: 'PUT', url, headers, payload: {} })
  const headers = await bearer()
  const remaining: unknown[] = []
  for (let count = 0; count < 3; count += 1) {
    const response = await put(headers)
    expect(response.statusCode).toBe(200)
    expect(response.headers['ratelimit-limit']).toBe('3')
    remaining.push(response.headers['ratelimit-remaining'])
  }
  expect(remaining).toEqual(['2', '1', '0'])

  // Another token of the same caller changes nothing.
  const refused = await put(await bearer({ expiresInSeconds: 200 }))
  expect(problemIn(refused)).toMatchObject({ status: 429, slug: 'too-many-requests' })
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60)

  expect((await put(await bearer({ sub: other }), rankingPath.replace(self, other))).statusCode).toBe(200)
})

test('a role without a limit is not limited', async () => {
  const server = testServer({ rateLimit })
  const headers = await bearer({ sub: 'importer', role: 'service' })
  for (let count = 0; count < 10; count += 1) {
    const response = await server.app.inject({ method: 'PUT', url: rankingPath, headers, payload: {} })
    expect(response.statusCode).toBe(200)
    expect(response.headers['ratelimit-limit']).toBeUndefined()
  }
})

test('what authorisation refuses counts as well', async () => {
  const server = testServer({ rateLimit })
  const headers = await bearer({ sub: other })
  const statuses: number[] = []
  for (let count = 0; count < 4; count += 1) {
    statuses.push((await server.app.inject({ method: 'PUT', url: rankingPath, headers, payload: {} })).statusCode)
  }
  expect(statuses).toEqual([403, 403, 403, 429])
})

test('callers without a token are counted by address', async () => {
  const server = testServer({ rateLimit })
  const ask = (remoteAddress: string) => server.app.inject({ url: '/v1/public', remoteAddress })
  expect((await ask('10.0.0.1')).statusCode).toBe(200)
  expect((await ask('10.0.0.1')).statusCode).toBe(200)
  expect((await ask('10.0.0.1')).statusCode).toBe(429)
  expect((await ask('10.0.0.2')).statusCode).toBe(200)
})
