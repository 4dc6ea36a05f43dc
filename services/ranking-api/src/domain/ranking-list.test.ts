import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { place, type RankingList, rankByRating, shiftsBetween, withdraw } from './ranking-list.ts'

/** `'a1 b2 d4'`: dish a on rank 1 … ; `'a1:450'` with a rating. */
function list(text: string): RankingList {
  return text.split(' ').flatMap((entry) => {
    const [, dishId, rank, rating] = /^([a-z]+)(\d+)(?::(\d+))?$/.exec(entry) ?? []
    if (dishId === undefined) return []
    return [{ dishId, rank: Number(rank), ratingHundredths: rating === undefined ? null : Number(rating) }]
  })
}

function text(dishes: RankingList): string {
  return dishes.map((dish) => `${dish.dishId}${dish.rank}`).join(' ')
}

describe('placing', () => {
  test.each([
    ['into an empty list', '', 1, 'x1'],
    ['into an empty list at a given rank', '', 7, 'x7'],
    ['at the end', 'a1 b2', 3, 'a1 b2 x3'],
    ['behind a gap that the user wants', 'a1 b2', 5, 'a1 b2 x5'],
    ['into a gap', 'a1 c3', 2, 'a1 x2 c3'],
    ['into a taken rank moves the run down', 'a1 b2 c3', 2, 'a1 x2 b3 c4'],
    ['into the top moves all of a run', 'a1 b2 c3', 1, 'x1 a2 b3 c4'],
    ['moves only up to the first gap', 'a1 b2 d4 e5', 1, 'x1 a2 b3 d4 e5'],
    ['ends the run at the gap that it fills', 'a1 b2 d4', 2, 'a1 x2 b3 d4'],
    ['before the first dish', 'c3 d4', 1, 'x1 c3 d4'],
    ['onto the last of a run', 'a1 b2 d4', 4, 'a1 b2 x4 d5'],
  ])('%s', (_case, before, rank, after) => {
    expect(text(place(list(before), { dishId: 'x', rank, ratingHundredths: null }))).toBe(after)
  })
})

describe('withdrawing', () => {
  test.each([
    ['the only dish', 'x1', ''],
    ['the last dish', 'a1 x2', 'a1'],
    ['the top moves the run up', 'x1 b2 c3', 'b1 c2'],
    ['from the middle', 'a1 x2 c3 d4', 'a1 c2 d3'],
    ['leaves what is behind a gap', 'x1 b2 d4 e5', 'b1 d4 e5'],
    ['a dish before a gap moves nothing', 'a1 x2 d4', 'a1 d4'],
    ['a dish that is not there', 'a1 b2', 'a1 b2'],
  ])('%s', (_case, before, after) => {
    expect(text(withdraw(list(before), 'x'))).toBe(after)
  })
})

describe('the place by rating', () => {
  test.each([
    ['first in an empty list', '', 300, 1],
    ['behind the last with a higher rating', 'a1:500 b2:400 c3:200', 300, 3],
    ['behind an equal rating', 'a1:500 b2:300 c3:200', 300, 3],
    ['first when there is no equal or higher one', 'a1:200 b2:100', 300, 1],
    ['behind the last by place, even when lower ones stand above it', 'a1:100 b2:400 c3:200', 300, 3],
    ['unrated dishes do not count', 'a1 b2:400 c3', 300, 3],
    ['first among unrated dishes only', 'a1 b2', 300, 1],
    ['into the gap behind the last with a higher rating', 'a1:400 c3:200', 300, 2],
    ['first, though the list begins with a gap', 'c3:200', 300, 1],
    ['at the end without a rating', 'a1:400 d4:100', null, 5],
    ['first without a rating in an empty list', '', null, 1],
  ])('%s', (_case, dishes, rating, rank) => {
    expect(rankByRating(list(dishes), rating)).toBe(rank)
  })
})

test('shifts are the dishes of both states whose rank differs, from the top', () => {
  const shifts = shiftsBetween(list('a1 b2 c3 x5'), list('y1 a2 b3 c4'))
  expect(shifts.map(({ dish, oldRank }) => `${dish.dishId} ${oldRank}→${dish.rank}`)).toEqual([
    'a 1→2',
    'b 2→3',
    'c 3→4',
  ])
})

/** The prose taken literally, one dish at a time. */
const literal = {
  place(ranks: Map<number, string>, dishId: string, rank: number): void {
    const evicted = ranks.get(rank)
    ranks.set(rank, dishId)
    if (evicted !== undefined) literal.place(ranks, evicted, rank + 1)
  },
  withdraw(ranks: Map<number, string>, dishId: string): void {
    for (const [rank, other] of [...ranks]) if (other === dishId) literal.free(ranks, rank)
  },
  free(ranks: Map<number, string>, rank: number): void {
    ranks.delete(rank)
    const next = ranks.get(rank + 1)
    if (next === undefined) return
    ranks.set(rank, next)
    literal.free(ranks, rank + 1)
  },
}

const anyList = fc
  .uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 10 })
  .chain((ranks) =>
    fc.tuple(
      fc.constant(ranks.toSorted((a, b) => a - b)),
      fc.array(fc.option(fc.integer({ min: 50, max: 55 })), { minLength: ranks.length, maxLength: ranks.length }),
    ),
  )
  .map(([ranks, ratings]) =>
    ranks.map((rank, at) => ({ dishId: `d${at}`, rank, ratingHundredths: ratings[at] ?? null })),
  )

function asMap(dishes: RankingList): Map<number, string> {
  return new Map(dishes.map((dish) => [dish.rank, dish.dishId]))
}

function byRank(ranks: Map<number, string>): [number, string][] {
  return [...ranks].toSorted(([a], [b]) => a - b)
}

function emptyPlaces(dishes: RankingList): number {
  return (dishes.at(-1)?.rank ?? 0) - dishes.length
}

describe('for every list', () => {
  test('placing equals pushing dishes down one by one', () => {
    fc.assert(
      fc.property(anyList, fc.integer({ min: 1, max: 16 }), (dishes, rank) => {
        const expected = asMap(dishes)
        literal.place(expected, 'x', rank)
        const placed = place(dishes, { dishId: 'x', rank, ratingHundredths: null })
        expect(placed.map((dish) => [dish.rank, dish.dishId])).toEqual(byRank(expected))
      }),
    )
  })

  test('withdrawing equals moving dishes up one by one', () => {
    fc.assert(
      fc.property(anyList, fc.nat(10), (dishes, at) => {
        const expected = asMap(dishes)
        literal.withdraw(expected, `d${at}`)
        expect(withdraw(dishes, `d${at}`).map((dish) => [dish.rank, dish.dishId])).toEqual(byRank(expected))
      }),
    )
  })

  test('taking a dish out and putting it back at its rank changes nothing', () => {
    fc.assert(
      fc.property(anyList, fc.nat(9), (dishes, at) => {
        const dish = dishes[at]
        fc.pre(dish !== undefined)
        expect(place(withdraw(dishes, dish.dishId), dish)).toEqual(dishes)
      }),
    )
  })

  test('a place found without a given rank adds no empty place', () => {
    fc.assert(
      fc.property(anyList, fc.option(fc.integer({ min: 50, max: 55 })), (dishes, rating) => {
        const rank = rankByRating(dishes, rating)
        const placed = place(dishes, { dishId: 'x', rank, ratingHundredths: rating })
        expect(emptyPlaces(placed)).toBeLessThanOrEqual(emptyPlaces(dishes))
      }),
    )
  })

  test('a place by rating is behind every equal or higher rating, and the dish before it is the last of them', () => {
    fc.assert(
      fc.property(anyList, fc.integer({ min: 50, max: 55 }), (dishes, rating) => {
        const rank = rankByRating(dishes, rating)
        const ahead = dishes.filter((dish) => dish.ratingHundredths !== null && dish.ratingHundredths >= rating)
        expect(rank).toBe(Math.max(0, ...ahead.map((dish) => dish.rank)) + 1)
      }),
    )
  })
})
