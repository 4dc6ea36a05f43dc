/**
 * Events as a test states them: what matters to the test is given, the rest is valid and always the same. Ids are
 * derived from names (`idOf('user', 'alice')`), so that a failing test prints the same ids every time.
 */
import type {
  DecodedEvent,
  DishId,
  DishRanked,
  DishRankingRemoved,
  DishRankingUpdated,
  EventId,
  RankingCause,
  RestaurantId,
  UserId,
} from '@bellyfed/schemas'
import { v5 } from 'uuid'

const namespace = '6f1c24a4-5b0e-5c6e-9a55-3d1f7a1f2f10'

interface Ids {
  user: UserId
  dish: DishId
  restaurant: RestaurantId
  event: EventId
  command: string
}

/** The UUID that stands for a name in every test. */
export function idOf<Kind extends keyof Ids>(kind: Kind, name: string): Ids[Kind] {
  return v5(`${kind}:${name}`, namespace) as Ids[Kind]
}

/** 1 March 2026, 12:00 UTC: when the first event of every test happens. */
export const testEpochMs = Date.UTC(2026, 2, 1, 12)

export interface RankingFacts {
  /** Names, turned into ids by `idOf`. */
  user?: string
  dish?: string
  restaurant?: string
  /** The event's place in the user's stream, from 1. The times follow from it unless given. */
  sequence?: number
  oldRank?: number | null
  newRank?: number | null
  /** Integer hundredths, 50 to 500. */
  oldRatingHundredths?: number | null
  newRatingHundredths?: number | null
  dishType?: string
  cause?: RankingCause
  city?: string | null
  country?: string | null
  cuisineTypes?: string[]
  occurredAtMs?: number
  acceptedAtMs?: number
  commandId?: string | null
  photoUrlSealed?: Buffer | null
  notesSealed?: Buffer | null
}

function facts(given: RankingFacts) {
  const { user = 'alice', dish = 'ramen', restaurant = 'noodle-bar', sequence = 1 } = given
  const userId = idOf('user', user)
  const occurredAtMs = given.occurredAtMs ?? testEpochMs + sequence * 1_000
  return {
    eventId: idOf('event', `${user}:${sequence}`),
    userId,
    sequence,
    occurredAtMs,
    acceptedAtMs: given.acceptedAtMs ?? occurredAtMs + 5,
    sessionId: null,
    correlationId: null,
    causationId: null,
    commandId: given.commandId === undefined ? idOf('command', `${user}:${sequence}`) : given.commandId,
    dishId: idOf('dish', dish),
    dishName: `Dish ${dish}`,
    dishVersion: 1,
    dishType: given.dishType ?? 'noodles',
    restaurantId: idOf('restaurant', restaurant),
    restaurantName: `Restaurant ${restaurant}`,
    restaurantVersion: 1,
    city: given.city === undefined ? 'San Diego' : given.city,
    country: given.country === undefined ? 'US' : given.country,
    cuisineTypes: given.cuisineTypes ?? ['japanese'],
    notesSealed: given.notesSealed ?? null,
    photoUrlSealed: given.photoUrlSealed ?? null,
  }
}

/** A dish was ranked for the first time: at rank 1 with no rating, unless the test says otherwise. */
export function ranked(given: RankingFacts = {}): DishRanked {
  return {
    ...facts(given),
    cause: given.cause ?? 'ranked',
    oldRank: null,
    newRank: given.newRank === undefined ? 1 : given.newRank,
    oldRatingHundredths: null,
    newRatingHundredths: given.newRatingHundredths ?? null,
  }
}

/** A ranking changed: from rank 1 to rank 2, unless the test says otherwise. The rating stays as given. */
export function updated(given: RankingFacts = {}): DishRankingUpdated {
  return {
    ...facts({ sequence: 2, ...given }),
    cause: given.cause ?? 'ranked',
    oldRank: given.oldRank === undefined ? 1 : given.oldRank,
    newRank: given.newRank === undefined ? 2 : given.newRank,
    oldRatingHundredths: given.oldRatingHundredths ?? null,
    newRatingHundredths:
      given.newRatingHundredths === undefined ? (given.oldRatingHundredths ?? null) : given.newRatingHundredths,
  }
}

/** A ranking was withdrawn: from rank 1, unless the test says otherwise. */
export function removed(given: RankingFacts = {}): DishRankingRemoved {
  return {
    ...facts({ sequence: 2, ...given }),
    cause: given.cause ?? 'withdrawn',
    oldRank: given.oldRank === undefined ? 1 : given.oldRank,
    newRank: null,
    oldRatingHundredths: given.oldRatingHundredths ?? null,
    newRatingHundredths: null,
  }
}

/** An event with its type beside it, as the codec gives it. */
export const decoded = {
  ranked: (given?: RankingFacts): DecodedEvent => ({ type: 'DISH_RANKED', event: ranked(given) }),
  updated: (given?: RankingFacts): DecodedEvent => ({ type: 'DISH_RANKING_UPDATED', event: updated(given) }),
  removed: (given?: RankingFacts): DecodedEvent => ({ type: 'DISH_RANKING_REMOVED', event: removed(given) }),
}
