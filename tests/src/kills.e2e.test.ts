/**
 * kill -9 of each process at a random point with 2,000 rankings in flight, from a client that repeats what was not
 * answered under the same command ids. In the end every command exists exactly once, in each place and in order.
 *
 * The points are chances of a seed, which is printed; BELLYFED_SEED repeats a run's choices (the machine's own chance
 * remains). A point lies between the first request and the moment at which an undisturbed round was in history.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as atRandomPoint } from 'node:timers/promises'
import { expectExactlyOnce } from '@bellyfed/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, type PutCommand, sendUntilAccepted } from './client.ts'
import { expectAgreement, readLedger, untilHistoryHasAll } from './ledger.ts'
import { createPlatform, type Platform } from './platform.ts'
import { seededRandom } from './random.ts'
import { createWorld, type World } from './world.ts'

const userCount = 200
const rankingsPerUser = 10
const usersPerBatch = 5
const rankingCount = userCount * rankingsPerUser

const seed = Number(process.env.BELLYFED_SEED ?? randomInt(2 ** 31))
const random = seededRandom(seed)

let platform: Platform
let api: Api
let world: World
let undisturbedMs: number
/** Of all rounds: `user/command` of everything that a client was told is accepted. */
const accepted: string[] = []

beforeAll(async () => {
  platform = await createPlatform({ importsRatings: false })
  await platform.start()
  api = { baseUrl: platform.places().api, token: await platform.token('service') }
  // One list of three dishes: new ratings move dishes past each other, so that commands have events besides their own.
  world = await createWorld(api, { name: 'kills', userCount, dishTypeCount: 1, dishesPerType: 3 })
  await sendRound('warm-up')
  await untilHistoryHasAll(platform.places())
  const startedAtMs = performance.now()
  await sendRound('undisturbed')
  await untilHistoryHasAll(platform.places())
  undisturbedMs = performance.now() - startedAtMs
  console.log(`seed ${seed}; ${rankingCount} rankings undisturbed: in history after ${Math.round(undisturbedMs)} ms`)
})

afterAll(() => platform.remove())

/** Every user's ten rankings, all 2,000 in flight at once: forty batches side by side, no user in two of them. */
async function sendRound(round: string): Promise<number> {
  const groups = Array.from({ length: userCount / usersPerBatch }, (_, group) =>
    world.userIds.slice(group * usersPerBatch, (group + 1) * usersPerBatch),
  )
  const offset = roundCount++ * 17
  const outcomes = await Promise.all(
    groups.map(async (userIds) => {
      const commands = userIds.flatMap((userId) =>
        Array.from({ length: rankingsPerUser }, (_, index) => command(userId, round, offset, index)),
      )
      const { requestCount, unchangedCount } = await sendUntilAccepted(api, commands)
      expect(unchangedCount).toBe(0)
      accepted.push(...commands.map(({ userId, commandId }) => `${userId}/${commandId}`))
      return requestCount
    }),
  )
  return outcomes.reduce((sum, count) => sum + count, 0)
}

let roundCount = 0

/** The three dishes in turn, each time with another rating than before, also than in the round before. */
function command(userId: string, round: string, offset: number, index: number): PutCommand {
  const item = world.menu[index % world.menu.length]
  if (item === undefined) throw new Error('the menu is empty')
  const rating = (50 + ((offset + index * 101) % 451)) / 100
  return { type: 'put', commandId: `${round}-${index}`, userId, ...item, rating }
}

test.each(['ranking-api', 'ranking-api-relay', 'history', 'kafka', 'postgres'])(
  'of %s: every accepted command exists exactly once, and history is what the events are, in order',
  async (victim) => {
    const pid = await platform.pidOf(victim)
    const pointMs = Math.round(random() * undisturbedMs)
    const kill = async () => {
      await atRandomPoint(pointMs)
      process.kill(pid, 'SIGKILL')
    }
    const startedAtMs = performance.now()
    const [requestCount] = await Promise.all([sendRound(victim), kill()])
    const acceptedMs = performance.now() - startedAtMs
    await platform.untilReady(({ parts }) => parts.find((part) => part.name === victim)?.pid !== pid)
    await untilHistoryHasAll(platform.places())
    const settledMs = performance.now() - startedAtMs

    const ledger = await readLedger(platform.places())
    const { duplicateCount } = expectAgreement(ledger)
    const own = ledger.history.filter(({ cause }) => cause === 'ranked')
    expectExactlyOnce(
      own.map(({ userId, commandId }) => `${userId}/${commandId}`),
      accepted,
    )
    expect(ledger.rankingCount).toBe(userCount * world.menu.length)
    console.log(
      `${victim} killed after ${pointMs} ms: accepted after ${Math.round(acceptedMs)} ms with ${requestCount} requests, ` +
        `in history after ${Math.round(settledMs)} ms, ${ledger.events.length} events, ${duplicateCount} published again so far`,
    )
  },
)
