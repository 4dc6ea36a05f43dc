/**
 * The aggregate against a model that takes the rules' prose literally: one list as a map from rank to dish, dishes pushed
 * one by one, no cleverness. Whatever commands come, in whatever order and with whatever times, both tell the same events.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RankingCommand } from './ranking-command.ts'
import type { RankingEvent } from './ranking-event.ts'
import { decide, evolve, listEtag, listKey, type UserAggregate } from './user-aggregate.ts'

const epochMs = Date.UTC(2026, 0, 1)

interface Step {
  readonly kind: 'put' | 'remove'
  readonly dishId: string
  readonly rank: number | undefined
  readonly ratingHundredths: number | null | undefined
  readonly notes: string | null | undefined
  readonly rankedAtMs: number | undefined
  /** How far the clock moves before this step; may go back. */
  readonly elapsedMs: number
}

/** `undefined` (absent) three times out of four, so that commands without a field are common. */
function mostlyAbsent<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: value })
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'put', 'remove'),
  dishId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  rank: mostlyAbsent(fc.integer({ min: 1, max: 10 })),
  ratingHundredths: mostlyAbsent(fc.option(fc.constantFrom(100, 200, 300, 400))),
  notes: mostlyAbsent(fc.option(fc.constantFrom('salty', 'rich'))),
  rankedAtMs: mostlyAbsent(fc.integer({ min: -5, max: 5 }).map((seconds) => epochMs + seconds * 1_000)),
  elapsedMs: fc.integer({ min: -500, max: 2_000 }),
})
const anySteps = fc.array(anyStep, { maxLength: 25 })

function commandOf(step: Step, at: number): RankingCommand {
  const { kind, dishId, rank, ratingHundredths, notes, rankedAtMs } = step
  const subject = {
    restaurant: { restaurantId: 'ichi', name: 'Ichi', version: 1, city: null, country: null, cuisineTypes: [] },
    dish: { dishId, name: dishId, version: 1, dishType: 'ramen' },
    isOnMenu: true,
  }
  if (kind === 'remove') return { kind, restaurantId: 'ichi', dishId, subject }
  const values = { rank, ratingHundredths, notes, rankedAtMs }
  return { kind, restaurantId: 'ichi', dishId, subject, newRankingId: `${dishId}-${at}`, ...values }
}

interface Held {
  rating: number | null
  notes: string | null
  acts: number[]
}

/** The rules, literally. `apply` answers with the events as text, or with a refusal. */
class LiteralList {
  readonly dishes = new Map<string, Held>()
  ranks = new Map<number, string>()
  acceptedAtMs = 0

  rankOf(dishId: string): number | null {
    for (const [rank, other] of this.ranks) if (other === dishId) return rank
    return null
  }

  pushInto(rank: number, dishId: string): void {
    const evicted = this.ranks.get(rank)
    this.ranks.set(rank, dishId)
    if (evicted !== undefined) this.pushInto(rank + 1, evicted)
  }

  free(rank: number): void {
    this.ranks.delete(rank)
    const next = this.ranks.get(rank + 1)
    if (next !== undefined) {
      this.ranks.set(rank, next)
      this.free(rank + 1)
    }
  }

  rankFor(rating: number | null): number {
    let found = 0
    for (const [rank, dishId] of this.ranks) {
      const other = this.dishes.get(dishId)?.rating ?? null
      if (rating === null || (other !== null && other >= rating)) found = Math.max(found, rank)
    }
    return found + 1
  }

  apply(step: Step, now: number): string[] | 'refused' {
    const before = new Map(this.ranks)
    const acceptedAtMs = Math.max(now, this.acceptedAtMs)
    const occurredAtMs = step.rankedAtMs ?? acceptedAtMs
    const held = this.dishes.get(step.dishId)
    const oldRank = this.rankOf(step.dishId)
    const times = `@${step.kind === 'put' ? occurredAtMs : acceptedAtMs}/${acceptedAtMs}`
    const tell = (dishId: string, cause: string, from: number | null, to: number | null) =>
      `${dishId} ${cause} ${from}→${to} ${to === null ? null : this.dishes.get(dishId)?.rating} ${times}`

    if (step.kind === 'remove') {
      if (oldRank === null) return 'refused'
      this.dishes.delete(step.dishId)
      this.free(oldRank)
      this.acceptedAtMs = acceptedAtMs
      return [tell(step.dishId, 'withdrawn', oldRank, null), ...this.shifts(before, step.dishId, tell)]
    }
    if (step.rankedAtMs !== undefined && step.rankedAtMs > now + 60_000) return 'refused'
    const rating = step.ratingHundredths === undefined ? (held?.rating ?? null) : step.ratingHundredths
    const notes = step.notes === undefined ? (held?.notes ?? null) : step.notes
    const isNewRating = rating !== null && rating !== held?.rating
    const isPlaced = held === undefined || step.rank !== undefined || isNewRating
    if (isPlaced) {
      if (oldRank !== null) this.free(oldRank)
      this.dishes.delete(step.dishId)
      this.pushInto(step.rank ?? this.rankFor(rating), step.dishId)
    }
    const newRank = this.rankOf(step.dishId)
    const isSame = held !== undefined && oldRank === newRank && held.rating === rating && held.notes === notes
    const isLater = step.rankedAtMs !== undefined && step.rankedAtMs > Math.max(...(held?.acts ?? []))
    const isAct = !isSame || isLater
    this.dishes.set(step.dishId, { rating, notes, acts: [...(held?.acts ?? []), ...(isAct ? [occurredAtMs] : [])] })
    if (!isAct) return []
    this.acceptedAtMs = acceptedAtMs
    const cause = isSame ? 'confirmed' : 'ranked'
    return [tell(step.dishId, cause, oldRank, newRank), ...this.shifts(before, step.dishId, tell)]
  }

  shifts(before: Map<number, string>, own: string, tell: (d: string, c: string, f: number, t: number) => string) {
    const told: string[] = []
    for (let rank = 1; rank <= 100; rank += 1) {
      const dishId = this.ranks.get(rank)
      if (dishId === undefined || dishId === own || before.get(rank) === dishId) continue
      for (const [oldRank, other] of before) if (other === dishId) told.push(tell(dishId, 'shifted', oldRank, rank))
    }
    return told
  }
}

function told(event: RankingEvent): string {
  const { dish, cause, oldRank, newRank, newRatingHundredths, occurredAtMs, acceptedAtMs } = event
  return `${dish.dishId} ${cause} ${oldRank}→${newRank} ${newRatingHundredths} @${occurredAtMs}/${acceptedAtMs}`
}

const registered: UserAggregate = {
  userId: 'ann',
  isRegistered: true,
  sequence: 0,
  acceptedAtMs: 0,
  lists: new Map(),
}

interface Run {
  readonly states: readonly UserAggregate[]
  /** Per step; undefined where it was refused. */
  readonly events: readonly (readonly RankingEvent[] | undefined)[]
}

function run(steps: readonly Step[]): Run {
  let user = registered
  let now = epochMs
  const states = [user]
  const events = steps.map((step, at) => {
    now += step.elapsedMs
    const decision = decide(user, commandOf(step, at), now)
    if ('refusal' in decision) return undefined
    user = decision.user
    states.push(user)
    return decision.events
  })
  return { states, events }
}

function listOf(user: UserAggregate | undefined) {
  return user?.lists.get(listKey('ichi', 'ramen')) ?? []
}

describe('for every course of commands', () => {
  test('the events are those of the rules taken literally', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const model = new LiteralList()
        let now = epochMs
        const expected = steps.map((step) => {
          now += step.elapsedMs
          return model.apply(step, now)
        })
        expect(run(steps).events.map((events) => events?.map(told) ?? 'refused')).toEqual(expected)
      }),
      { numRuns: 1_000 },
    )
  })

  test('ranks are unique and in order, and sequences and acceptance never go back or leave a gap', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const { states, events } = run(steps)
        for (const user of states) {
          const ranks = listOf(user).map((ranking) => ranking.rank)
          expect(ranks).toEqual([...new Set(ranks)].toSorted((a, b) => a - b))
        }
        const all = events.flatMap((ofStep) => ofStep ?? [])
        expect(all.map((event) => event.sequence)).toEqual(all.map((_, at) => at + 1))
        const acceptances = all.map((event) => event.acceptedAtMs)
        expect(acceptances).toEqual(acceptances.toSorted((a, b) => a - b))
      }),
    )
  })

  test('the events replayed, one by one or all at once, give the list', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const { states, events } = run(steps)
        const all = events.flatMap((ofStep) => ofStep ?? [])
        const last = states.at(-1)
        expect(evolve(registered, all)).toEqual(last)
        expect(all.reduce((user, event) => evolve(user, [event]), registered)).toEqual(last)
      }),
    )
  })

  test('without given ranks there is never a gap', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const { states } = run(steps.map((step) => ({ ...step, rank: undefined })))
        for (const user of states)
          expect(listOf(user).map((ranking) => ranking.rank)).toEqual(listOf(user).map((_, at) => at + 1))
      }),
    )
  })

  test('a command repeated at once changes nothing', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const twice = run(steps.flatMap((step) => [step, { ...step, elapsedMs: 0 }]))
        for (let at = 1; at < twice.events.length; at += 2) {
          expect(twice.events[at] ?? []).toEqual([])
        }
      }),
    )
  })

  test('each event begins where the last one of its dish ended', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const standing = new Map<string, { rank: number | null; rating: number | null }>()
        for (const event of run(steps).events.flatMap((ofStep) => ofStep ?? [])) {
          const { rank, rating } = standing.get(event.dish.dishId) ?? { rank: null, rating: null }
          expect([event.oldRank, event.oldRatingHundredths]).toEqual([rank, rating])
          standing.set(event.dish.dishId, { rank: event.newRank, rating: event.newRatingHundredths })
        }
      }),
    )
  })

  test('two states of a list have one ETag only when they are equal', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const byEtag = new Map<string, unknown>()
        for (const user of run(steps).states) {
          const list = listOf(user)
          const seen = byEtag.get(listEtag(list))
          if (seen !== undefined) expect(list).toEqual(seen)
          byEtag.set(listEtag(list), list)
        }
      }),
    )
  })
})
