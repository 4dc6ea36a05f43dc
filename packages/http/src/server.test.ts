import { connect } from 'node:net'
import { createLogger } from '@bellyfed/process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problemContentType } from './problem.ts'
import { bearer, other, problemIn, rankingPath, self, testServer } from './testing/fixtures.ts'

const server = testServer()
let headers: Record<string, string>

beforeAll(async () => {
  headers = { ...(await bearer()), 'content-type': 'application/json' }
  await server.start()
})
afterAll(() => server.stop())

function put(payload: string, extra: Record<string, string> = {}, url = rankingPath) {
  return server.app.inject({ method: 'PUT', url, headers: { ...headers, ...extra }, payload })
}

test('a good request is answered by its schema, with nothing beyond it', async () => {
  const response = await put('{"rating":4.35}')
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({ userId: self, rating: 4.35 })
})

describe('a refusal is a problem document', () => {
  test('with type, title, status, detail, instance and the trace id of the header', async () => {
    const response = await put('{"rank":0}')
    expect(response.headers['content-type']).toBe(problemContentType)
    expect(response.json()).toEqual({
      type: 'https://bellyfed.dev/problems/invalid-request',
      title: 'The request breaks a rule',
      status: 400,
      detail: 'rank: must be >= 1',
      instance: rankingPath,
      traceId: response.headers['trace-id'],
      errors: [{ field: 'rank', rule: 'minimum', message: 'must be >= 1' }],
    })
  })

  test.each([
    ['malformed JSON', '{"rank":', 400, 'malformed-json', []],
    ['an empty body', '', 400, 'malformed-json', []],
    ['null where an object is needed', 'null', 400, 'invalid-request', [' type']],
    ['an unknown field', '{"stars":5}', 400, 'invalid-request', ['stars additionalProperties']],
    ['a number given as text', '{"rank":"1"}', 400, 'invalid-request', ['rank type']],
    ['rank 0', '{"rank":0}', 400, 'invalid-request', ['rank minimum']],
    ['rating 5.01', '{"rating":5.01}', 400, 'invalid-request', ['rating maximum']],
    ['a rating with three decimals', '{"rating":4.355}', 400, 'invalid-request', ['rating multipleOf']],
    ['a time that is none', '{"rankedAt":"yesterday"}', 400, 'invalid-request', ['rankedAt format']],
    ['a URL that is none', '{"photoUrl":"nowhere"}', 400, 'invalid-request', ['photoUrl format']],
    [
      'a text too long, not also "must be null"',
      `{"notes":"${'x'.repeat(21)}"}`,
      400,
      'invalid-request',
      ['notes maxLength'],
    ],
    ['a union of which no branch fits', '{"notes":7}', 400, 'invalid-request', ['notes anyOf']],
    ['a body over the limit', `{"notes":"${'x'.repeat(5_000)}"}`, 413, 'body-too-large', []],
    ['a member that pollutes a prototype', '{"__proto__":{"admin":true}}', 400, 'malformed-json', []],
  ])('%s', async (_case, payload, status, slug, errors) => {
    expect(problemIn(await put(payload))).toEqual({ status, slug, errors })
  })

  test('no body at all', async () => {
    const response = await server.app.inject({ method: 'PUT', url: rankingPath, headers: await bearer() })
    expect(problemIn(response)).toEqual({ status: 400, slug: 'invalid-request', errors: [' type'] })
  })

  test('several faults are reported together', async () => {
    const response = await put('{"rank":"first","rating":9,"stars":5}')
    expect(problemIn(response).errors.sort()).toEqual(['rank type', 'rating maximum', 'stars additionalProperties'])
  })

  test('faults inside a list are named by place', async () => {
    const service = await bearer({ sub: 'importer', role: 'service' })
    const response = await server.app.inject({
      method: 'POST',
      url: '/v1/rankings/batch',
      headers: service,
      payload: { commands: [{ rank: 1 }, { rank: 0 }, { stars: 1 }] },
    })
    expect(problemIn(response).errors).toEqual(['commands[1].rank minimum', 'commands[2].stars additionalProperties'])
  })

  test('faults of query and path say where they are, and text is read as numbers there', async () => {
    const good = await server.app.inject({ url: `/v1/users/${self}/history?limit=7`, headers })
    expect(good.json()).toEqual({ limit: 7 })
    const bad = await server.app.inject({ url: `/v1/users/${self}/history?limit=700&page=2`, headers })
    expect(bad.json().errors).toEqual([
      { field: 'page', rule: 'additionalProperties', message: 'is not a known field', in: 'query' },
      { field: 'limit', rule: 'maximum', message: 'must be <= 100', in: 'query' },
    ])
  })

  test('an id in upper case is refused rather than taken for another', async () => {
    const service = await bearer({ sub: 'importer', role: 'service' })
    const response = await server.app.inject({ url: `/v1/users/${self.toUpperCase()}/history`, headers: service })
    expect(problemIn(response)).toEqual({ status: 400, slug: 'invalid-request', errors: ['id format'] })
  })

  test('an unsupported media type, also text', async () => {
    for (const type of ['text/plain', 'application/xml']) {
      const response = await put('rank=1', { 'content-type': type })
      expect(problemIn(response)).toMatchObject({ status: 415, slug: 'unsupported-media-type' })
    }
  })

  test('a method that is not offered names those that are', async () => {
    const response = await server.app.inject({ method: 'PATCH', url: rankingPath, headers, payload: '{}' })
    expect(problemIn(response)).toMatchObject({ status: 405, slug: 'method-not-allowed' })
    expect(response.headers.allow).toBe('PUT')
  })

  test('an unknown route', async () => {
    const response = await server.app.inject({ url: '/v1/nothing', headers })
    expect(problemIn(response)).toMatchObject({ status: 404, slug: 'not-found' })
  })

  test('a URL that cannot be decoded', async () => {
    const response = await server.app.inject({ url: '/v1/users/%E0%A4%A/history', headers })
    expect(problemIn(response)).toMatchObject({ status: 400, slug: 'malformed-request' })
  })

  test("another user's things", async () => {
    const response = await put('{}', {}, rankingPath.replace(self, other))
    expect(problemIn(response)).toMatchObject({ status: 403, slug: 'forbidden' })
  })

  test('of a service carries its own type, members and headers', async () => {
    const response = await server.app.inject({ url: '/v1/taken', headers })
    expect(problemIn(response)).toMatchObject({ status: 412, slug: 'list-changed' })
    expect(response.json()).toMatchObject({ title: 'The list has changed', list: [1, 2] })
    expect(response.headers.etag).toBe('"7"')
  })

  test('an error on our side tells nothing of our insides', async () => {
    const response = await server.app.inject({ url: '/v1/broken', headers })
    expect(problemIn(response)).toMatchObject({ status: 500, slug: 'internal-error' })
    expect(response.body).not.toMatch(/ECONNREFUSED|10\.1\.2\.3|ranking_api/)
  })

  test('a dependency that is away is 503 with Retry-After, not a fault of ours', async () => {
    const lines: string[] = []
    const away = testServer({
      log: createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } }),
      isUnavailable: (error) => error instanceof Error && error.message.includes('ECONNREFUSED'),
    })
    const response = await away.app.inject({ url: '/v1/broken', headers })
    expect(problemIn(response)).toMatchObject({ status: 503, slug: 'unavailable' })
    expect(response.headers['retry-after']).toBe('1')
    expect(response.body).not.toContain('10.1.2.3')
    for (let count = 0; count < 5; count += 1) await away.app.inject({ url: '/v1/broken', headers })
    expect(lines).toHaveLength(1)
  })

  test('a handler that never answers', async () => {
    const response = await server.app.inject({ url: '/v1/never', headers })
    expect(problemIn(response)).toMatchObject({ status: 503, slug: 'handler-timeout' })
    expect(response.headers['retry-after']).toBe('1')
  })
})

test('the faults of a huge request are not all collected', async () => {
  const big = testServer({ bodyLimitBytes: 10_000_000 })
  const service = await bearer({ sub: 'importer', role: 'service' })
  const response = await big.app.inject({
    method: 'POST',
    url: '/v1/rankings/batch',
    headers: service,
    payload: { commands: Array.from({ length: 100_000 }, () => ({ stars: 1 })) },
  })
  expect(problemIn(response)).toEqual({ status: 400, slug: 'invalid-request', errors: ['commands maxItems'] })
  const many = await big.app.inject({
    method: 'POST',
    url: '/v1/rankings/batch',
    headers: service,
    payload: { commands: Array.from({ length: 100 }, () => ({ stars: 1 })) },
  })
  expect(problemIn(many).errors).toHaveLength(20)
})

describe('traces', () => {
  test('an incoming trace is continued with a span of our own', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const response = await server.app.inject({ url: '/v1/public', headers: { traceparent } })
    expect(response.headers['trace-id']).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(response.json().trace).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/)
  })

  test('a malformed one is replaced', async () => {
    const response = await server.app.inject({ url: '/v1/public', headers: { traceparent: '00-xyz-1-01' } })
    expect(response.headers['trace-id']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('a fault is logged with the trace id that the client was given, and nothing secret', async () => {
    const lines: string[] = []
    const logged = testServer({
      log: createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } }),
    })
    const response = await logged.app.inject({ url: '/v1/broken', headers })
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'error', traceId: response.headers['trace-id'], path: '/v1/broken' }),
    ])
    expect(lines.join()).not.toContain(headers.authorization)
  })
})

describe('on a real socket', () => {
  test('broken HTTP is answered with a problem', async () => {
    expect(await exchange('NONSENSE\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*"type":"https:\/\/bellyfed\.dev\/problems\/malformed-request"/s,
    )
  })

  test('headers beyond 16 KiB are answered with a problem', async () => {
    const answer = await exchange(`GET / HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*problems\/headers-too-large/s)
  })

  test('requests under way finish when the server stops', async () => {
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const stopping = testServer({
      routes: [
        (app) => {
          app.get('/v1/slow', { config: { isPublic: true } }, async () => {
            entered.resolve()
            await gate.promise
            return { done: true }
          })
        },
      ],
    })
    await stopping.start()
    const answer = fetch(`http://127.0.0.1:${stopping.port}/v1/slow`)
    await entered.promise
    const stopped = stopping.stop()
    gate.resolve()
    expect(await (await answer).json()).toEqual({ done: true })
    await stopped
    expect(stopping.port).toBe(0)
    await stopping.stop()
  })

  function exchange(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(request))
      let answer = ''
      socket.on('data', (piece) => {
        answer += piece
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })
  }
})

test('answers are counted by route pattern, unknown ones together', async () => {
  const counted = testServer()
  await counted.app.inject({ method: 'PUT', url: rankingPath, headers, payload: '{}' })
  await counted.app.inject({ method: 'PUT', url: rankingPath, headers, payload: '{"rank":0}' })
  await counted.app.inject({ url: `/v1/nothing/${self}`, headers })
  const exposition = await counted.metrics.exposition()
  const route = '/v1/users/:userId/rankings/:restaurantId/:dishId'
  expect(exposition).toContain(`http_requests_total{method="PUT",route="${route}",status="200",service="test"} 1`)
  expect(exposition).toContain(`http_requests_total{method="PUT",route="${route}",status="400",service="test"} 1`)
  expect(exposition).toContain('http_requests_total{method="GET",route="unmatched",status="404",service="test"} 1')
  expect(exposition).toContain('http_requests_in_flight{service="test"} 0')
})
