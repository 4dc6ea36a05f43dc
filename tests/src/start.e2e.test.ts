/**
 * The life of the embedded platform, as a user meets it: first start, commands that the screen offers, a start beside
 * it, stop, start again, and the loss of any process. Each test goes on from where the one before ended.
 */
import { eventually } from '@bellyfed/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, ask } from './client.ts'
import { type Counts, readCounts, untilHistoryHasAll } from './ledger.ts'
import { runToEnd } from './npm-script.ts'
import { createPlatform, type PartStatus, type Platform, type PlatformStatus } from './platform.ts'
import { isGroupRunning, isRunning, processesOf } from './processes.ts'

const partNames = ['supervisor', 'postgres', 'kafka', 'registry', 'ranking-api', 'ranking-api-relay', 'history']
const residentMiBMax = 2560
const stopMsMax = 15_000
// The bounds are for an idle machine with warm caches; a busy one gets three times as long.
const patience = process.env.BELLYFED_STRICT_TIMES === '1' ? 1 : 3
const firstStartMsMax = 60_000 * patience
const laterStartMsMax = 25_000 * patience

let platform: Platform
let firstStartMs: number
let example: ExampleRanking

interface ExampleRanking {
  readonly userId: string
  readonly path: string
}

beforeAll(async () => {
  platform = await createPlatform()
  firstStartMs = await platform.start()
})

afterAll(() => platform.remove())

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/** What the screen offers to try: the token, and the commands in their order. */
function offered(screen: string): { token: string; commands: string[] } {
  const offer = screen.slice(screen.indexOf('Try it'))
  const token = /^TOKEN=(\S+)$/m.exec(offer)?.[1]
  if (token === undefined) throw new Error(`no token on the screen:\n${screen}`)
  return { token, commands: offer.split('\n').filter((line) => line.startsWith('curl ')) }
}

/** Ranks the example's dish anew and waits until the history shows it. */
async function expectANewRankingFlows(rating: number): Promise<void> {
  const api: Api = { baseUrl: platform.places().api, token: await platform.token('service') }
  const user = `/v1/users/${example.userId}`
  // The API is ready as soon as its own dependencies are; a pool may still hold connections that died with a server.
  const { receipt } = await eventually(() => ask<{ receipt: string }>(api, 'PUT', example.path, { rating }), {
    what: 'a new ranking is accepted',
  })
  await eventually(
    async () => {
      const page = await ask<{ changes: { newRating: number }[] }>(
        api,
        'GET',
        `${user}/history?limit=1&after=${receipt}`,
      )
      expect(page.changes[0]?.newRating).toBe(rating)
      return true
    },
    { what: 'the history shows the new ranking', timeoutMs: 60_000 },
  )
}

async function expectNothingLost(before: Counts): Promise<void> {
  expect(await readCounts(platform.places())).toEqual(before)
}

function pidsOf(status: PlatformStatus): number[] {
  return status.parts.map((part) => part.pid).filter((pid) => pid !== null)
}

async function expectNoProcessLeft(pids: readonly number[]): Promise<void> {
  // A process that is on its way out still has a pid for a moment, but no command line any more.
  await eventually(
    () => {
      expect(processesOf(platform.directory)).toEqual([])
      expect(pids.filter(isRunning)).toEqual([])
      expect(pids.filter(isGroupRunning)).toEqual([])
      return true
    },
    { what: `no process of ${platform.directory} is left`, timeoutMs: 5_000 },
  )
}

describe('the first start', () => {
  test('ends with a screen of addresses, read models, a token and three commands', () => {
    console.log(`first start: ${seconds(firstStartMs)}`)
    const screen = platform.screen()
    const { api, postgres, brokers, registry } = platform.places()
    expect(new URL(api).hostname).toBe('127.0.0.1')
    expect(postgres).toMatch(/^postgres:\/\/.+@127\.0\.0\.1:\d+\//)
    expect(brokers).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)])
    expect(registry).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/apis\/ccompat\/v7$/)
    expect(screen).toMatch(/best burrito +\S.* rated \d/)
    expect(screen).toMatch(/its history +[1-9]\d* changes/)
    expect(screen).toMatch(/its latest ranker +[1-9]\d* rankings, [1-9]\d* changes/)
    expect(screen).toContain('423 rows = 420 accepted + 0 unchanged + 0 repeated + 3 rejected')
    expect(offered(screen).commands).toHaveLength(3)
    expect(firstStartMs).toBeLessThan(firstStartMsMax)
  })

  test('offers commands that work when they are typed', async () => {
    const { token, commands } = offered(platform.screen())
    const answers: Record<string, unknown>[] = []
    for (const command of commands) {
      const { code, stdout } = await runToEnd('sh', ['-c', command], { ...platform.environment, TOKEN: token })
      expect(code, command).toBe(0)
      answers.push(JSON.parse(stdout) as Record<string, unknown>)
    }
    const [best, put, history] = answers
    const { userId, restaurantId, dishId } = (put as { ranking: Record<string, string> }).ranking
    example = { userId: String(userId), path: `/v1/users/${userId}/rankings/${restaurantId}/${dishId}` }
    expect(best).toMatchObject({
      dishes: expect.arrayContaining([expect.objectContaining({ dishId, oneBestCount: 9 })]),
    })
    expect(put).toMatchObject({ status: expect.stringMatching(/applied|unchanged/), ranking: { rating: 4.75 } })
    expect(history).toMatchObject({ changes: [{ userId }, { userId }, { userId }] })
  })

  test('leaves every part ready, within the memory it may take', async () => {
    const { ready, api, parts } = await platform.status()
    expect(ready).toBe(true)
    expect(api).toBe(platform.places().api)
    expect(parts.map((part) => part.name)).toEqual(partNames)
    const isAsPromised = (part: PartStatus) =>
      part.state === 'ready' &&
      Number(part.pid) > 0 &&
      Number(part.rssMiB) > 0 &&
      (part.port !== null || part.name === 'supervisor')
    expect(parts.filter((part) => !isAsPromised(part))).toEqual([])
    const residentMiB = parts.reduce((sum, part) => sum + Number(part.rssMiB), 0)
    console.log(`resident: ${residentMiB} MiB (${parts.map((part) => `${part.name} ${part.rssMiB}`).join(', ')})`)
    expect(residentMiB).toBeLessThanOrEqual(residentMiBMax)
  })

  test('is not repeated beside itself: a second start is refused and says why', async () => {
    const { code, stderr } = await platform.npm('start')
    expect(code).toBe(1)
    expect(stderr).toContain(`already running (process ${platform.supervisor().pid})`)
    expect((await platform.status()).ready).toBe(true)
  })

  test('is followed by tokens that the API takes for what they say', async () => {
    const user = await platform.npm('token', ['--role', 'user', '--user', example.userId])
    expect([user.code, user.stdout.trim().split('.').length]).toEqual([0, 3])
    const api: Api = { baseUrl: platform.places().api, token: user.stdout.trim() }
    await ask(api, 'GET', `/v1/users/${example.userId}/rankings`)
    await expect(ask(api, 'POST', '/v1/rankings/batch', { commands: [] })).rejects.toThrow(' 403 ')
    expect((await platform.npm('token', ['--role', 'chef'])).code).toBe(2)
  })

  test('loses nothing to a reset that was not confirmed', async () => {
    const before = await untilHistoryHasAll(platform.places())
    const refused = await platform.npm('local:reset')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('--yes')
    expect((await platform.npm('local:reset', ['--yes'])).code).toBe(1)
    await expectNothingLost(before)
  })
})

describe('stop and start', () => {
  test('SIGTERM stops everything in time and leaves no process', async () => {
    const pids = pidsOf(await platform.status())
    expect(pids).toHaveLength(partNames.length)
    const stopMs = await platform.stop()
    console.log(`stop: ${seconds(stopMs)}`)
    expect(stopMs).toBeLessThan(stopMsMax)
    expect(platform.supervisor().exitCode).toBe(0)
    await expectNoProcessLeft(pids)
  })

  test('a later start is ready sooner, with the same data', async () => {
    const laterStartMs = await platform.start()
    console.log(`later start: ${seconds(laterStartMs)}`)
    expect(laterStartMs).toBeLessThan(laterStartMsMax)
    const before = await untilHistoryHasAll(platform.places())
    expect(before.events).toBeGreaterThan(2000)
    expect(before.recordsPerPartition.reduce((sum, count) => sum + count, 0)).toBe(before.events)
    await expectANewRankingFlows(4.01)
    expect((await untilHistoryHasAll(platform.places())).events).toBeGreaterThan(before.events)
  })
})

describe('kill -9', () => {
  test.each([
    ['postgres', 3.1],
    ['kafka', 3.2],
    ['registry', 3.3],
    ['ranking-api', 3.4],
    ['ranking-api-relay', 3.5],
    ['history', 3.6],
  ])('of %s: it is started again and nothing is lost', async (victim, rating) => {
    const before = await untilHistoryHasAll(platform.places())
    const pid = await platform.pidOf(victim)
    const startedAtMs = performance.now()
    process.kill(pid, 'SIGKILL')
    const isReplaced = ({ parts }: PlatformStatus) => parts.find((part) => part.name === victim)?.pid !== pid
    await platform.untilReady(isReplaced)
    console.log(`killed ${victim}: all ready again after ${seconds(performance.now() - startedAtMs)}`)
    await expectNothingLost(before)
    await expectANewRankingFlows(rating)
  })

  test('of the supervisor: its children end with it, and the next start has everything', async () => {
    const before = await untilHistoryHasAll(platform.places())
    const pids = pidsOf(await platform.status())
    platform.supervisor().kill('SIGKILL')
    await expectNoProcessLeft(pids)
    console.log(`start after the supervisor was killed: ${seconds(await platform.start())}`)
    await expectNothingLost(before)
    await expectANewRankingFlows(3.7)
  })

  test('of everything at once: the next start has everything', async () => {
    const before = await untilHistoryHasAll(platform.places())
    const pids = pidsOf(await platform.status())
    for (const pid of pids) process.kill(-pid, 'SIGKILL')
    await expectNoProcessLeft(pids)
    console.log(`start after everything was killed: ${seconds(await platform.start())}`)
    await expectNothingLost(before)
    await expectANewRankingFlows(3.8)
  })
})
