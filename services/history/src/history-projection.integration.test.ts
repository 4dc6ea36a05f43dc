import { inlineStatement, type Pool } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'
import { decoded, idOf, testPlatform } from '@bellyfed/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ContradictingHistory, insertHistoryOf } from './history-projection.ts'
import { historyMigrations, schema } from './migrations.ts'

const platform = testPlatform()
const database = await platform.database([{ schema, migrations: historyMigrations }])
const pool = await database.pool(schema)
const owner = await database.ownerPool(schema)
const truncate = inlineStatement('truncate', 'truncate ranking_history')
const selectAll = inlineStatement('select-all', 'select * from ranking_history order by user_id, sequence')

const rowsOf = async (from: Pool) => (await from.query(selectAll)).rows
const apply = (events: readonly DecodedEvent[]) => pool.transaction((tx) => insertHistoryOf(tx, events))

beforeEach(() => owner.query(truncate))

/** Three users' events in the order of their sequences, the users one after another. */
const log: DecodedEvent[] = ['alice', 'bob', 'carol'].flatMap((user) =>
  Array.from({ length: 8 }, (_, index) => {
    const facts = { user, sequence: index + 1, dish: `dish-${index % 3}`, newRatingHundredths: 100 + index }
    return index === 7 ? decoded.removed(facts) : index < 3 ? decoded.ranked(facts) : decoded.updated(facts)
  }),
)

describe('history projection', () => {
  test('a row says everything that its event said', async () => {
    const awkward = 'Tom "the \\ cook", {NULL}, ünïcode 🍜\n'
    const one = decoded.updated({
      sequence: 7,
      oldRank: 3,
      newRank: 1,
      oldRatingHundredths: 399,
      newRatingHundredths: 457,
      cause: 'shifted',
      dishType: awkward,
    })
    await apply([one, decoded.removed({ user: 'bob', commandId: null })])
    const [alice, bob] = (await rowsOf(pool)) as Record<string, unknown>[]
    const { event } = one
    expect(alice?.user_id === event.userId ? alice : bob).toEqual({
      user_id: event.userId,
      sequence: 7n,
      event_id: event.eventId,
      event_type: 'DISH_RANKING_UPDATED',
      cause: 'shifted',
      dish_id: event.dishId,
      dish_name: event.dishName,
      dish_type: awkward,
      restaurant_id: event.restaurantId,
      restaurant_name: event.restaurantName,
      old_rank: 3,
      new_rank: 1,
      old_rating_hundredths: 399,
      new_rating_hundredths: 457,
      occurred_at: new Date(event.occurredAtMs),
      accepted_at: new Date(event.acceptedAtMs),
      command_id: event.commandId,
    })
    expect(alice?.user_id === event.userId ? bob : alice).toMatchObject({ new_rank: null, command_id: null })
  })

  test('the same batch twice leaves the same rows', async () => {
    await apply(log)
    const once = await rowsOf(pool)
    await apply(log)
    expect(await rowsOf(pool)).toEqual(once)
    expect(once.length).toBe(log.length)
  })

  test('however the log is shuffled, repeated and cut into batches, the rows are the same', async () => {
    await apply(log)
    const due = await rowsOf(pool)
    const deliveries = fc.tuple(
      fc.shuffledSubarray(log, { minLength: log.length }),
      fc.array(fc.constantFrom(...log), { maxLength: 20 }),
      fc.integer({ min: 1, max: 30 }),
    )
    await fc.assert(
      fc.asyncProperty(deliveries, async ([shuffled, again, size]) => {
        await owner.query(truncate)
        const stream = [...shuffled, ...again, ...shuffled.slice(0, 3)]
        for (let from = 0; from < stream.length; from += size) await apply(stream.slice(from, from + size))
        expect(await rowsOf(pool)).toEqual(due)
      }),
      { numRuns: 25 },
    )
  })

  test('overlapping batches at the same time, in opposite orders, neither deadlock nor double', async () => {
    const long = Array.from({ length: 20_000 }, (_, index) =>
      decoded.updated({ user: `user-${index % 40}`, sequence: Math.floor(index / 40) + 1 }),
    )
    const reversed = long.toReversed()
    await Promise.all([long, reversed, long, reversed].map(apply))
    expect((await rowsOf(pool)).length).toBe(long.length)
  })

  test('another event at a taken place is refused with both ids, and nothing of its batch is kept', async () => {
    await apply([decoded.ranked({ sequence: 1 })])
    const foreign = decoded.ranked({ sequence: 1 })
    const contradicting: DecodedEvent = { ...foreign, event: { ...foreign.event, eventId: idOf('event', 'other') } }
    const refused = apply([decoded.ranked({ user: 'bob' }), contradicting])
    await expect(refused).rejects.toThrow(ContradictingHistory)
    await expect(refused).rejects.toThrow(`holds ${foreign.event.eventId}, not ${idOf('event', 'other')}`)
    expect((await rowsOf(pool)).length).toBe(1)
  })

  test('the service itself cannot change a row', async () => {
    await apply([decoded.ranked()])
    const rewrite = inlineStatement('rewrite', 'update ranking_history set new_rank = 2')
    await expect(pool.query(rewrite)).rejects.toThrow(/permission denied/)
  })
})
