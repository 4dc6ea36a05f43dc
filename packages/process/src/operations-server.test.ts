import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createOperationsServer, type OperationsOptions, type OperationsServer } from './operations-server.ts'
import { type Part, setPartState } from './part.ts'

const running: OperationsServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

function part(overrides: Partial<Part> = {}): Part {
  return { name: 'pool', start: async () => {}, stop: async () => {}, ...overrides }
}

async function serve(parts: readonly Part[], overrides: Partial<OperationsOptions> = {}) {
  const server = createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics('test', { processMetrics: false }),
    parts,
    log: createLogger({ service: 'test', level: 'silent' }),
    checkTimeoutMs: 50,
    ...overrides,
  })
  running.push(server)
  await server.start()
  return async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
    const body = await response.text()
    return { status: response.status, body, json: (): unknown => JSON.parse(body) }
  }
}

describe('/live', () => {
  test('holds while every part makes progress, whatever its dependencies do', async () => {
    const checks: string[] = []
    const ask = await serve([
      part({ check: async () => void checks.push('asked'), isLive: () => ({ live: true }) }),
      part({ name: 'relay', check: async () => Promise.reject(new Error('PostgreSQL is away')) }),
    ])
    expect((await ask('/live')).status).toBe(200)
    expect(checks).toEqual([])
  })

  test('fails with the reason when a part stands still', async () => {
    const ask = await serve([
      part(),
      part({ name: 'consumer', isLive: () => ({ live: false, reason: 'no progress for 60 s' }) }),
    ])
    const answer = await ask('/live')
    expect(answer.status).toBe(503)
    expect(answer.json()).toEqual({
      live: false,
      parts: [
        { name: 'pool', live: true },
        { name: 'consumer', live: false, reason: 'no progress for 60 s' },
      ],
    })
    expect((await ask('/metrics')).body).toContain('part_live{part="consumer",service="test"} 0')
  })

  test('holds for a part that is still starting', async () => {
    const starting = part({ isLive: () => ({ live: false }) })
    setPartState(starting, 'starting')
    expect((await (await serve([starting]))('/live')).status).toBe(200)
  })
})

describe('/ready', () => {
  test('holds when every check passes', async () => {
    expect((await (await serve([part({ check: async () => {} }), part()]))('/ready')).json()).toMatchObject({
      ready: true,
    })
  })

  test('fails with the reason, without its password', async () => {
    const check = async (): Promise<void> => Promise.reject(new Error('cannot reach postgres://u:hunter2@db'))
    const answer = await (await serve([part({ check })]))('/ready')
    expect(answer.status).toBe(503)
    expect(answer.json()).toEqual({
      ready: false,
      parts: [{ name: 'pool', ready: false, reason: 'cannot reach postgres://u:***@db' }],
    })
  })

  test('fails in bounded time when a check hangs, and asks the part only once meanwhile', async () => {
    let asked = 0
    const check = (): Promise<void> => {
      asked += 1
      return new Promise(() => {})
    }
    const ask = await serve([part({ check })])
    for (let round = 0; round < 3; round += 1) {
      expect((await ask('/ready')).json()).toMatchObject({ parts: [{ reason: 'no answer within 50 ms' }] })
    }
    expect(asked).toBe(1)
  })

  test('fails while the process starts and while it stops', async () => {
    const one = part()
    const ask = await serve([one])
    for (const state of ['waiting', 'starting', 'stopping'] as const) {
      setPartState(one, state)
      expect((await ask('/ready')).json()).toEqual({
        ready: false,
        parts: [{ name: 'pool', ready: false, reason: state }],
      })
    }
    setPartState(one, 'running')
    expect((await ask('/ready')).status).toBe(200)
  })
})

test('/streams answers the metrics of streams, also with bigints', async () => {
  const ask = await serve([], { streamMetrics: () => [{ topic: 'dish-rankings', position: 12n }] })
  expect((await ask('/streams')).json()).toEqual([{ topic: 'dish-rankings', position: '12' }])
})

test('other paths and methods are refused', async () => {
  const ask = await serve([])
  expect((await ask('/')).status).toBe(404)
  expect((await ask('/live', 'POST')).status).toBe(405)
  expect(await ask('/live', 'HEAD')).toMatchObject({ status: 200, body: '' })
})

test('a taken port is a fault of the start', async () => {
  await serve([])
  const [first] = running
  await expect(serve([], { port: first?.port ?? 0 })).rejects.toThrow(/EADDRINUSE/)
  running.pop()
})
