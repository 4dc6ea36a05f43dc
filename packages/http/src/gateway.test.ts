import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Type } from 'typebox'
import { afterEach, describe, expect, test } from 'vitest'
import { requireSelfOr } from './authentication.ts'
import { proxyRoutes } from './gateway.ts'
import { Uuid } from './schemas.ts'
import type { HttpServer } from './server.ts'
import { bearer, other, problemIn, self, testServer } from './testing/fixtures.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** An upstream that answers by `handle`, and a gateway before it. */
async function gatewayTo(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  timeoutMs = 2_000,
): Promise<{ gateway: HttpServer; upstream: Server; url: string }> {
  const upstream = createServer(handle)
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const gateway = testServer({
    routes: [
      proxyRoutes({
        upstream: { name: 'history', url, timeoutMs },
        routes: [
          {
            method: 'GET',
            url: '/v1/users/:userId/history',
            schema: {
              params: Type.Object({ userId: Uuid }),
              querystring: Type.Object({ limit: Type.Optional(Type.Integer()) }),
            },
            onRequest: requireSelfOr('service'),
          },
          { method: 'POST', url: '/v1/echo', schema: { body: Type.Object({ name: Type.String() }) } },
        ],
      }),
    ],
  })
  open.push(
    () => gateway.stop(),
    async () => {
      upstream.closeAllConnections()
      upstream.close()
    },
  )
  return { gateway, upstream, url }
}

const historyPath = `/v1/users/${self}/history?limit=5`

test('a request goes on with its token and trace, without cookies, and the answer comes back as it is', async () => {
  const seen: IncomingMessage[] = []
  const { gateway } = await gatewayTo((request, response) => {
    seen.push(request)
    response.writeHead(200, {
      'content-type': 'application/json',
      etag: '"9"',
      server: 'secret/1.0',
      'trace-id': 'theirs',
    })
    response.end('{"items":[]}')
  })
  const headers = await bearer()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const response = await gateway.app.inject({ url: historyPath, headers: { ...headers, traceparent, cookie: 'a=b' } })
  expect([response.statusCode, response.body, response.headers.etag]).toEqual([200, '{"items":[]}', '"9"'])
  expect(response.headers.server).toBeUndefined()
  expect(response.headers['trace-id']).toBe('0af7651916cd43dd8448eb211c80319c')
  expect(seen[0]?.url).toBe(historyPath)
  expect(seen[0]?.headers).toMatchObject({ authorization: headers.authorization })
  expect(seen[0]?.headers.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/)
  expect(seen[0]?.headers.cookie).toBeUndefined()
})

test('a body is validated here and passed on', async () => {
  const { gateway } = await gatewayTo((request, response) => {
    response.writeHead(201, { 'content-type': 'application/json' })
    request.pipe(response)
  })
  const headers = await bearer()
  const good = await gateway.app.inject({ method: 'POST', url: '/v1/echo', headers, payload: { name: 'ramen' } })
  expect([good.statusCode, good.json()]).toEqual([201, { name: 'ramen' }])
  const bad = await gateway.app.inject({ method: 'POST', url: '/v1/echo', headers, payload: { nom: 'ramen' } })
  expect(problemIn(bad).slug).toBe('invalid-request')
})

test("the upstream's own problems come through", async () => {
  const { gateway } = await gatewayTo((_request, response) => {
    response.writeHead(202, { 'content-type': 'application/problem+json', 'retry-after': '1' })
    response.end('{"type":"https://bellyfed.dev/problems/not-yet-visible"}')
  })
  const response = await gateway.app.inject({ url: historyPath, headers: await bearer() })
  expect(problemIn(response)).toMatchObject({ status: 202, slug: 'not-yet-visible' })
  expect(response.headers['retry-after']).toBe('1')
})

describe('refused without asking the upstream is', () => {
  test('no token, another user, a wrong query', async () => {
    let asked = 0
    const { gateway } = await gatewayTo((_request, response) => {
      asked += 1
      response.end()
    })
    const headers = await bearer()
    expect((await gateway.app.inject({ url: historyPath })).statusCode).toBe(401)
    expect((await gateway.app.inject({ url: historyPath.replace(self, other), headers })).statusCode).toBe(403)
    expect((await gateway.app.inject({ url: `${historyPath}&page=1`, headers })).statusCode).toBe(400)
    expect(asked).toBe(0)
  })
})

describe('an upstream in trouble is a problem that names it, but not its address', () => {
  test('that is away', async () => {
    const { gateway, upstream, url } = await gatewayTo(() => {})
    await new Promise((resolve) => upstream.close(resolve))
    const response = await gateway.app.inject({ url: historyPath, headers: await bearer() })
    expect(problemIn(response)).toMatchObject({ status: 503, slug: 'upstream-unavailable' })
    expect(response.json().detail).toBe('history cannot be reached')
    expect(response.body).not.toContain(new URL(url).port)
    expect(response.headers['retry-after']).toBe('1')
  })

  test('that does not answer in time', async () => {
    const { gateway, url } = await gatewayTo(() => {}, 100)
    const response = await gateway.app.inject({ url: historyPath, headers: await bearer() })
    expect(problemIn(response)).toMatchObject({ status: 504, slug: 'upstream-timeout' })
    expect(response.body).not.toContain(new URL(url).port)
  })

  test('that breaks off', async () => {
    const { gateway } = await gatewayTo((request) => request.socket.destroy())
    const response = await gateway.app.inject({ url: historyPath, headers: await bearer() })
    expect(problemIn(response)).toMatchObject({ status: 502, slug: 'upstream-failed' })
  })
})

test('a connection that broke before the answer is tried once more for a GET', async () => {
  let asked = 0
  const { gateway } = await gatewayTo((request, response) => {
    asked += 1
    if (asked === 1) request.socket.destroy()
    else response.end('{}')
  })
  const response = await gateway.app.inject({ url: historyPath, headers: await bearer() })
  expect([response.statusCode, asked]).toEqual([200, 2])
})
