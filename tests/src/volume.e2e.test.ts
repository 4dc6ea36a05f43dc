/** A hundred thousand rankings by the batch route: none lost, none doubled, none out of its user's order. */
import { eventually } from '@bellyfed/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, forEachOf, type PutCommand, sendUntilAccepted } from './client.ts'
import { expectAgreement, readCounts, readLedger, untilHistoryHasAll } from './ledger.ts'
import { createPlatform, type Platform } from './platform.ts'
import { createWorld, type World } from './world.ts'

const userCount = 5_000
const rankingsPerUser = 20
const batchSize = 500
const rankingsPerUserAndBatch = 2
const batchesInFlight = 3
const rankingCount = userCount * rankingsPerUser
const usersPerBatch = batchSize / rankingsPerUserAndBatch

let platform: Platform
let api: Api
let world: World

beforeAll(async () => {
  platform = await createPlatform({ importsRatings: false })
  await platform.start()
  api = { baseUrl: platform.places().api, token: await platform.token('service') }
  const startedAtMs = performance.now()
  // Four lists of one dish each: a new rating moves no other dish, so every ranking is exactly one event.
  world = await createWorld(api, { name: 'volume', userCount, dishTypeCount: 4, dishesPerType: 1 })
  console.log(`${userCount} users created at ${perSecond(userCount, performance.now() - startedAtMs)}`)
})

afterAll(() => platform.remove())

const perSecond = (count: number, ms: number) => `${Math.round((count * 1000) / ms).toLocaleString('en')}/s`

/** The `index`-th ranking of a user: the four dishes in turn, each time with another rating than before. */
function command(userId: string, index: number): PutCommand {
  const item = world.menu[index % world.menu.length]
  if (item === undefined) throw new Error('the menu is empty')
  const rating = (50 + ((index * 37) % 451)) / 100
  return { type: 'put', commandId: `volume-${index}`, userId, ...item, rating }
}

/** Batches for disjoint groups of users: a group's batches are sent one after the other, groups side by side. */
async function sendAll(): Promise<{ requestCount: number; unchangedCount: number }> {
  const groups = Array.from({ length: userCount / usersPerBatch }, (_, group) =>
    world.userIds.slice(group * usersPerBatch, (group + 1) * usersPerBatch),
  )
  let requestCount = 0
  let unchangedCount = 0
  await forEachOf(groups, batchesInFlight, async (userIds) => {
    for (let first = 0; first < rankingsPerUser; first += rankingsPerUserAndBatch) {
      const commands = userIds.flatMap((userId) =>
        Array.from({ length: rankingsPerUserAndBatch }, (_, index) => command(userId, first + index)),
      )
      const sent = await sendUntilAccepted(api, commands)
      requestCount += sent.requestCount
      unchangedCount += sent.unchangedCount
    }
  })
  return { requestCount, unchangedCount }
}

async function untilPublished(): Promise<void> {
  await eventually(
    async () => {
      const { recordsPerPartition } = await readCounts(platform.places())
      return recordsPerPartition.reduce((sum, count) => sum + count, 0) >= rankingCount
    },
    { what: 'every ranking is published', timeoutMs: 240_000 },
  )
}

test('100,000 rankings of 5,000 users are accepted, published and in history, each once and in order', async () => {
  const startedAtMs = performance.now()
  const since = () => performance.now() - startedAtMs
  const stages: Record<string, number> = {}
  const { requestCount, unchangedCount } = await sendAll()
  stages.accepted = since()
  await untilPublished()
  stages.published = since()
  await untilHistoryHasAll(platform.places(), { timeoutMs: 240_000 })
  stages['in history'] = since()
  for (const [stage, ms] of Object.entries(stages)) {
    console.log(`${stage}: ${perSecond(rankingCount, ms)} (all after ${(ms / 1000).toFixed(1)} s)`)
  }
  expect([requestCount, unchangedCount]).toEqual([rankingCount / batchSize, 0])

  const ledger = await readLedger(platform.places())
  expect(ledger.events).toHaveLength(rankingCount)
  expect(expectAgreement(ledger).duplicateCount).toBe(0)
  expect(ledger.rankingCount).toBe(userCount * world.menu.length)
  const perUser = Map.groupBy(ledger.history, ({ userId }) => userId)
  const due = Array.from({ length: rankingsPerUser }, (_, index) => `volume-${index}`)
  expect(perUser.size).toBe(userCount)
  for (const [userId, changes] of perUser) {
    expect(
      changes.map(({ commandId }) => commandId),
      `commands of ${userId}`,
    ).toEqual(due)
  }
})
