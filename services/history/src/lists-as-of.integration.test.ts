import type { DecodedEvent } from '@bellyfed/schemas'
import { decoded, idOf, testEpochMs, testPlatform } from '@bellyfed/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { insertHistoryOf } from './history-projection.ts'
import { listsAsOf } from './history-reads.ts'
import { historyMigrations, schema } from './migrations.ts'

const platform = testPlatform()
const database = await platform.database([{ schema, migrations: historyMigrations }])
const pool = await database.pool(schema)

const dishes = ['ramen', 'udon', 'pho', 'cake']
const restaurants = ['north', 'south']
const typeOf = (dish: string) => (dish === 'cake' ? 'dessert' : 'noodles')

/** What happened to one ranking, and how much later than the event before it was accepted (clocks may step back). */
const act = fc.record({
  dish: fc.constantFrom(...dishes),
  restaurant: fc.constantFrom(...restaurants),
  newRank: fc.option(fc.integer({ min: 1, max: 9 })),
  newRatingHundredths: fc.option(fc.integer({ min: 50, max: 500 })),
  stepMs: fc.integer({ min: -3, max: 20 }),
})
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

function eventsOf(user: string, acts: readonly Act[]): DecodedEvent[] {
  let acceptedAtMs = testEpochMs
  return acts.map(({ stepMs, newRank, dish, ...rest }, index) => {
    acceptedAtMs += stepMs
    const facts = { ...rest, dish, dishType: typeOf(dish), user, newRank, acceptedAtMs, sequence: index + 1 }
    return newRank === null ? decoded.removed(facts) : decoded.updated(facts)
  })
}

/**
 * The reference: what a list means, in the slowest words. Take the events up to the last one accepted by then; give
 * every ranking the values of its last event; a ranking without a rank is not in its list.
 */
function referenceLists(events: readonly DecodedEvent[], asOfMs: number) {
  const last = events.findLastIndex(({ event }) => event.acceptedAtMs <= asOfMs)
  const rankings = new Map<string, DecodedEvent['event']>()
  for (const { event } of events.slice(0, last + 1)) rankings.set(`${event.dishId} ${event.restaurantId}`, event)
  const lists = new Map<string, string[]>()
  for (const event of rankings.values()) {
    if (event.newRank === null) continue
    const list = `${event.restaurantId} ${event.dishType}`
    const entry = `${event.newRank} ${event.dishId} ${event.newRatingHundredths} ${event.sequence}`
    lists.set(list, [...(lists.get(list) ?? []), entry].sort())
  }
  return { version: last + 1, lists: Object.fromEntries(lists) }
}

async function storedLists(userId: string, asOfMs: number | undefined) {
  const asOf = asOfMs === undefined ? undefined : new Date(asOfMs)
  const { version, lists } = await listsAsOf(pool, { userId, asOf, dishType: undefined, restaurantId: undefined })
  const entries = lists.map(({ restaurantId, dishType, dishes: inList }) => {
    const shown = inList.map((d) => `${d.rank} ${d.dishId} ${d.ratingHundredths} ${d.version}`)
    return [`${restaurantId} ${dishType}`, shown.sort()]
  })
  return { version, lists: Object.fromEntries(entries) }
}

describe('lists as of a time', () => {
  test('are those of the reference model at every moment of every history', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), fc.nat(600), async (acts, momentMs) => {
        const user = `user-${++run}`
        const events = eventsOf(user, acts)
        await pool.transaction((tx) => insertHistoryOf(tx, events))
        const asOfMs = testEpochMs - 20 + momentMs
        expect(await storedLists(idOf('user', user), asOfMs)).toEqual(referenceLists(events, asOfMs))
        expect(await storedLists(idOf('user', user), undefined)).toEqual(
          referenceLists(events, Number.MAX_SAFE_INTEGER),
        )
      }),
      { numRuns: 150 },
    )
  })

  test('a clock that steps back never shows half an act', async () => {
    // The second event is one act's shift of the first dish; its server's clock is behind.
    const events = [
      decoded.ranked({ user: 'skew', dish: 'ramen', sequence: 1, newRank: 1, acceptedAtMs: testEpochMs + 10 }),
      decoded.ranked({ user: 'skew', dish: 'udon', sequence: 2, newRank: 1, acceptedAtMs: testEpochMs + 20 }),
      decoded.updated({
        user: 'skew',
        dish: 'ramen',
        sequence: 3,
        oldRank: 1,
        newRank: 2,
        acceptedAtMs: testEpochMs + 15,
      }),
    ]
    await pool.transaction((tx) => insertHistoryOf(tx, events))
    const { version, lists } = await storedLists(idOf('user', 'skew'), testEpochMs + 16)
    expect(version).toBe(3)
    expect(Object.values(lists)[0]).toHaveLength(2)
  })
})
