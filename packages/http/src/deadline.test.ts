import { Readable } from 'node:stream'
import { createLogger } from '@bellyfed/process'
import { expect, test } from 'vitest'
import type { Routes } from './server.ts'
import { problemIn, testServer } from './testing/fixtures.ts'

test('an answer that comes after the deadline goes nowhere and does no harm', async () => {
  const gate = Promise.withResolvers<object>()
  const lines: string[] = []
  const log = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } })
  const routes: Routes = (app) => {
    app.get('/v1/late', { config: { isPublic: true, timeoutMs: 20 } }, () => gate.promise)
  }
  const server = testServer({ routes: [routes], log })
  expect(problemIn(await server.app.inject({ url: '/v1/late' }))).toMatchObject({
    status: 503,
    slug: 'handler-timeout',
  })
  gate.resolve({ late: true })
  await expect.poll(() => lines.join()).toContain('FST_ERR_REP_ALREADY_SENT')
  expect((await server.app.inject({ url: '/openapi.json' })).statusCode).toBe(200)
})

test('an answer that has begun is broken off, so that nobody takes it for whole', async () => {
  const routes: Routes = (app) => {
    app.get('/v1/endless', { config: { isPublic: true, timeoutMs: 30 } }, (_request, reply) => {
      const endless = new Readable({ read() {} })
      endless.push('[1,')
      return reply.type('application/json').send(endless)
    })
  }
  const server = testServer({ routes: [routes] })
  await server.start()
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/endless`)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  } finally {
    await server.stop()
  }
})

test('a quick answer is not touched by its deadline', async () => {
  const routes: Routes = (app) => {
    app.get('/v1/quick', { config: { isPublic: true, timeoutMs: 1_000 } }, async () => ({ quick: true }))
  }
  expect((await testServer({ routes: [routes] }).app.inject({ url: '/v1/quick' })).json()).toEqual({ quick: true })
})
