/**
 * What happened to one ranking. Every event says the whole ranking before and after it, so the last event of a ranking
 * is the ranking. Sequence, order and times are those of the user's stream.
 */
import type { Dish, Restaurant } from './ranking-command.ts'

/**
 * `ranked`: the user's own act. `confirmed`: the same values again, said later. `shifted`: another dish of the list moved
 * this one. `withdrawn`: taken back. Only the first two are activity.
 */
export type Cause = 'ranked' | 'confirmed' | 'shifted' | 'withdrawn'

interface Envelope {
  readonly rankingId: string
  /** Position in the user's stream: 1, 2, 3 …, without a gap. */
  readonly sequence: number
  /** Event time: the client's, else the time of acceptance. Not monotone. */
  readonly occurredAtMs: number
  /** Never before that of the user's previous event. */
  readonly acceptedAtMs: number
  readonly dish: Dish
  readonly restaurant: Restaurant
}

export interface DishRanked extends Envelope {
  readonly type: 'DISH_RANKED'
  readonly cause: 'ranked'
  readonly oldRank: null
  readonly newRank: number
  readonly oldRatingHundredths: null
  readonly newRatingHundredths: number | null
  /** As they stand after the event, in the clear; sealed on the way out. */
  readonly notes: string | null
  readonly photoUrl: string | null
}

export interface DishRankingUpdated extends Envelope {
  readonly type: 'DISH_RANKING_UPDATED'
  readonly cause: 'ranked' | 'confirmed' | 'shifted'
  readonly oldRank: number
  readonly newRank: number
  readonly oldRatingHundredths: number | null
  readonly newRatingHundredths: number | null
  readonly notes: string | null
  readonly photoUrl: string | null
}

export interface DishRankingRemoved extends Envelope {
  readonly type: 'DISH_RANKING_REMOVED'
  readonly cause: 'withdrawn'
  readonly oldRank: number
  readonly newRank: null
  readonly oldRatingHundredths: number | null
  readonly newRatingHundredths: null
  readonly notes: null
  readonly photoUrl: null
}

export type RankingEvent = DishRanked | DishRankingUpdated | DishRankingRemoved
