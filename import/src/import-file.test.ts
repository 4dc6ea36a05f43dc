import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { type ImportOptions, importFile } from './import-file.ts'
import type { ImportReport } from './report.ts'
import { RecordingApi, type RecordingApiOptions } from './testing/recording-api.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
const burritos = { file: example('burritos.csv'), mappingPath: example('burritos.mapping.json') }
vi.setConfig({ testTimeout: 60_000 }) // a thousand requests over a socket, on machines that do other things too

const directory = mkdtempSync(join(tmpdir(), 'import-file-'))
afterAll(() => rmSync(directory, { recursive: true }))

const running: RecordingApi[] = []
afterEach(async () => {
  for (const api of running.splice(0)) await api.stop()
})

async function startApi(options: RecordingApiOptions = {}): Promise<{ api: RecordingApi; baseUrl: string }> {
  const api = new RecordingApi(options)
  running.push(api)
  return { api, baseUrl: await api.start() }
}

async function run(baseUrl: string, options: Partial<ImportOptions> = {}): Promise<ImportReport> {
  const report = await importFile({
    ...burritos,
    baseUrl,
    token: 'a-token',
    concurrency: 2,
    patienceMs: 30_000,
    now: () => Date.parse('2026-11-21T00:00:00Z'),
    ...options,
  })
  const { accepted, unchanged, repeated, rejected, notSent } = report
  expect(report.rowsRead).toBe(accepted + unchanged + repeated + rejected + notSent)
  expect(report.rejectedRows).toHaveLength(rejected)
  return report
}

/** A file of `users` people who rate one dish `each` times, taking turns. */
function fileOfTurns(users: number, each: number): Pick<ImportOptions, 'file' | 'mappingPath'> {
  const file = join(directory, `turns-${users}-${each}.ndjson`)
  const mappingPath = join(directory, 'turns.mapping.json')
  const turns = Array.from({ length: users * each }, (_, turn) => ({
    user: `u${turn % users}`,
    at: 1_500_000_000_000 + turn,
    stars: 1 + (turn % 9) / 2,
  }))
  writeFileSync(file, turns.map((turn) => `${JSON.stringify(turn)}\n`).join(''))
  const value = (column: string) => ({ column })
  const mapping = {
    namespace: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    user: { key: [value('user')] },
    restaurant: { key: [{ constant: 'here' }], name: { constant: 'Here' } },
    dish: { key: [{ constant: 'soup' }], name: { constant: 'Soup' }, type: { constant: 'soup' } },
    rating: { value: value('stars') },
    time: { value: value('at'), format: 'epochMilliseconds' },
  }
  writeFileSync(mappingPath, JSON.stringify(mapping))
  return { file, mappingPath }
}

function expectOrderPerUser(api: RecordingApi): void {
  const latest = new Map<string, string>()
  for (const { userId, rankedAt } of api.applied) {
    expect(rankedAt >= (latest.get(userId) ?? '')).toBe(true)
    latest.set(userId, rankedAt)
  }
  expect(api.isOrderAtRisk).toBe(false)
}

test('entities are created before rankings, never overwritten, and a second import changes nothing', async () => {
  const { api, baseUrl } = await startApi()
  const first = await run(baseUrl)
  expect(first).toMatchObject({ isFinished: true, rowsRead: 423, accepted: 420, rejected: 3, repeated: 0, notSent: 0 })
  expect(first.catalogue).toMatchObject({ users: { created: 103, existed: 0 }, menuItems: { created: 256 } })
  const puts = api.requests.filter(({ method }) => method === 'PUT')
  expect(puts.every(({ ifNoneMatch }) => ifNoneMatch === '*')).toBe(true)
  expect(api.requests.every(({ authorization }) => authorization === 'Bearer a-token')).toBe(true)
  expect(api.requests.findLastIndex(({ method }) => method === 'PUT')).toBeLessThan(puts.length)
  expectOrderPerUser(api)

  const known = structuredClone(api.entities)
  const second = await run(baseUrl)
  expect(second).toMatchObject({ isFinished: true, accepted: 0, unchanged: 0, repeated: 420, rejected: 3 })
  expect(second.catalogue).toMatchObject({ users: { created: 0, existed: 103 }, dishes: { created: 0, existed: 116 } })
  expect(api.applied).toHaveLength(420)
  expect(api.entities).toEqual(known)
})

test('a command says what its row does', async () => {
  const { api, baseUrl } = await startApi()
  await run(baseUrl)
  expect(api.applied.find(({ commandId }) => commandId === '866fd4d2-005c-5286-aa8c-3e3a056351ec')).toEqual({
    type: 'put',
    commandId: '866fd4d2-005c-5286-aa8c-3e3a056351ec',
    userId: '9e7da64b-b87a-5500-b10d-4b3ed48112f7',
    restaurantId: 'af00a6b6-5a3f-5659-9f86-0d8e6559ecba',
    dishId: '3ec8824d-7245-5f94-ab27-bda7a11a197f',
    rating: 3.8,
    notes: 'good fries: 4/5',
    rankedAt: '2016-01-18T08:00:00.000Z',
  })
})

test('two batches are on their way at once, and never with the same user', async () => {
  const { api, baseUrl } = await startApi({ latencyMs: 5 })
  const report = await run(baseUrl, fileOfTurns(2_000, 3))
  expect(report).toMatchObject({ isFinished: true, accepted: 6_000 })
  expect(api.batchesAtOnceMax).toBe(2)
  expectOrderPerUser(api)
})

test('the rows of one person go one batch after the other', async () => {
  const { api, baseUrl } = await startApi({ latencyMs: 2 })
  await run(baseUrl, fileOfTurns(1, 1_200))
  expect(api.batches.map((batch) => batch.length)).toEqual([500, 500, 200])
  expect(api.batchesAtOnceMax).toBe(1)
  expectOrderPerUser(api)
})

test('a server that stumbles is asked again, and nothing is applied twice or out of order', async () => {
  const { api, baseUrl } = await startApi({
    faultOf: ({ kind, nth }) => {
      if (kind === 'entity') return nth % 100 === 0 ? 'drop-after' : nth % 77 === 0 ? { status: 503 } : undefined
      return ([{ status: 503 }, 'drop-after', 'drop-before', { status: 429, retryAfterSeconds: 0 }] as const)[nth - 1]
    },
  })
  const report = await run(baseUrl, fileOfTurns(300, 4))
  expect(report).toMatchObject({ isFinished: true, rejected: 0, notSent: 0, stoppedBecause: null })
  expect(report.accepted + report.repeated).toBe(1_200) // the lost answer's rows are recognised
  expect(api.applied).toHaveLength(1_200)
  expectOrderPerUser(api)
})

test('an import that stopped half-way tells how far it came, and the next one finishes it', async () => {
  let isAway = true
  const { api, baseUrl } = await startApi({
    faultOf: ({ kind, nth }) => (isAway && kind === 'batch' && nth > 3 ? { status: 503 } : undefined),
  })
  const file = fileOfTurns(50, 50)
  const stopped = await run(baseUrl, { ...file, concurrency: 1, patienceMs: 300 })
  expect(stopped).toMatchObject({ isFinished: false, accepted: 1_500, notSent: 1_000, rejected: 0 })
  expect(stopped.stoppedBecause).toMatch(/POST \/v1\/rankings\/batch failed \d+ times in 0.3 s; last: 503 as asked/)
  isAway = false
  const resumed = await run(baseUrl, file)
  expect(resumed).toMatchObject({ isFinished: true, accepted: 1_000, repeated: 1_500, notSent: 0 })
  expect(api.applied).toHaveLength(2_500)
  expect(new Set(api.applied.map(({ commandId }) => commandId)).size).toBe(2_500)
  expectOrderPerUser(api)
})

test('an import that was stopped among the entities carries on there', async () => {
  let isAway = true
  const { api, baseUrl } = await startApi({
    faultOf: ({ kind, nth }) => (isAway && kind === 'entity' && nth > 200 ? 'drop-before' : undefined),
  })
  const stopped = await run(baseUrl, { patienceMs: 300 })
  expect(stopped).toMatchObject({ isFinished: false, accepted: 0, rejected: 3, notSent: 420 })
  expect(api.batches).toHaveLength(0)
  isAway = false
  expect(await run(baseUrl)).toMatchObject({ isFinished: true, accepted: 420, catalogue: { users: { existed: 103 } } })
})

test('a refused token stops at once and is not asked about again', async () => {
  const { api, baseUrl } = await startApi({
    faultOf: () => ({ status: 401, problem: { title: 'The token has expired' } }),
  })
  const report = await run(baseUrl)
  expect(report).toMatchObject({
    isFinished: false,
    stoppedBecause: expect.stringContaining('401 The token has expired'),
  })
  expect(api.requests.length).toBeLessThanOrEqual(16)
})

test('a server that is not there stops the import when its patience is over', async () => {
  const { api, baseUrl } = await startApi()
  await api.stop()
  running.splice(0)
  const report = await run(baseUrl, { patienceMs: 300 })
  expect(report).toMatchObject({ isFinished: false, stoppedBecause: expect.stringContaining('ECONNREFUSED') })
})

test('a command that is refused is a rejected row with its line and the problem', async () => {
  const { api, baseUrl } = await startApi({
    refusalOf: ({ commandId }) =>
      commandId === '866fd4d2-005c-5286-aa8c-3e3a056351ec' ? { status: 409, title: 'The list is full' } : undefined,
  })
  const report = await run(baseUrl)
  expect(report).toMatchObject({ isFinished: true, accepted: 419, rejected: 4, rejectedByReason: { refused: 1 } })
  expect(report.rejectedRows[0]).toEqual({ line: 2, reason: 'refused', detail: '409 The list is full' })
  expect(api.applied).toHaveLength(419)
})

test('a command that spoils its whole batch is found and rejected alone; the others keep their order', async () => {
  const { api, baseUrl } = await startApi()
  const spoils = 1_500_000_000_777
  const isSpoilt = (batch: { rankedAt: string }[]) => batch.some(({ rankedAt }) => Date.parse(rankedAt) === spoils)
  const { api: strict, baseUrl: strictUrl } = await startApi({
    faultOf: ({ kind }) => (kind === 'batch' && isSpoilt(strict.batches.at(-1) ?? []) ? { status: 400 } : undefined),
  })
  const file = fileOfTurns(10, 120)
  await run(baseUrl, { ...file, concurrency: 1 })
  const report = await run(strictUrl, { ...file, concurrency: 1 })
  expect(report).toMatchObject({ isFinished: true, accepted: 1_199, rejected: 1 })
  expect(report.rejectedRows).toEqual([{ line: 778, reason: 'refused', detail: '400 as asked' }])
  expect(strict.applied).toEqual(api.applied.filter((_, index) => index !== 777))
})

test('a command that lost a race is sent again', async () => {
  const { api, baseUrl } = await startApi({
    refusalOf: (_command, nth) =>
      nth === 10 || nth === 11
        ? { type: 'https://bellyfed.dev/problems/conflict', status: 409, title: 'Changed' }
        : undefined,
  })
  expect(await run(baseUrl, fileOfTurns(40, 1))).toMatchObject({ isFinished: true, accepted: 40, rejected: 0 })
  expect(api.batches.map((batch) => batch.length)).toEqual([40, 2])
})

test('the rows of an entity that is refused are rejected, and the others are imported', async () => {
  const { api, baseUrl } = await startApi({
    faultOf: ({ path }) =>
      path === '/v1/restaurants/af00a6b6-5a3f-5659-9f86-0d8e6559ecba'
        ? {
            status: 400,
            problem: { title: 'Not valid', errors: [{ field: 'name', rule: 'maxLength', message: 'is too long' }] },
          }
        : undefined,
  })
  const report = await run(baseUrl)
  const refused = report.rejectedRows.filter(({ reason }) => reason === 'refused')
  expect(refused[0]).toEqual({
    line: 2,
    reason: 'refused',
    detail: 'PUT /v1/restaurants/af00a6b6-5a3f-5659-9f86-0d8e6559ecba was refused: 400 Not valid; name is too long',
  })
  expect(report.accepted).toBe(420 - refused.length)
  expect(report.catalogue.restaurants).toEqual({ created: 97, existed: 0, refused: 1 })
  expect(api.applied.some(({ restaurantId }) => restaurantId === 'af00a6b6-5a3f-5659-9f86-0d8e6559ecba')).toBe(false)
})

test('a user name that another user holds is told apart by the id', async () => {
  let attempts = 0
  const { api, baseUrl } = await startApi({
    faultOf: ({ path }) =>
      path === '/v1/users/9e7da64b-b87a-5500-b10d-4b3ed48112f7' && ++attempts === 1 ? { status: 409 } : undefined,
  })
  expect(await run(baseUrl)).toMatchObject({ isFinished: true, accepted: 420 })
  const user = api.entities.get('/v1/users/9e7da64b-b87a-5500-b10d-4b3ed48112f7')
  expect(user).toEqual({ username: 'scott-9e7da64b', displayName: 'Scott' })
})

test('an interrupt ends the import with a report of what was done', async () => {
  const interruption = new AbortController()
  const { api, baseUrl } = await startApi({
    refusalOf: (_command, nth) => {
      if (nth === 600) interruption.abort()
      return undefined
    },
  })
  const report = await run(baseUrl, { ...fileOfTurns(50, 50), concurrency: 1, signal: interruption.signal })
  expect(report).toMatchObject({ isFinished: false, stoppedBecause: 'interrupted', accepted: 1_000, notSent: 1_500 })
  expect(api.applied).toHaveLength(1_000)
})

test('an answer that is not for the commands sent stops the import', async () => {
  const { baseUrl } = await startApi({
    faultOf: ({ kind }) => (kind === 'batch' ? { status: 200, problem: { verdicts: [] } } : undefined),
  })
  const report = await run(baseUrl)
  expect(report).toMatchObject({ isFinished: false, accepted: 0 })
  expect(report.stoppedBecause).toMatch(/answered with 0 verdicts/)
})
