/** What a user may ask for, what the catalogue says about it, and the limits of each value. */

/** As the catalogue has it now; frozen into the events. */
export interface Dish {
  readonly dishId: string
  readonly name: string
  /** Rises with every change of the dish; of two names the one with the higher version is right. */
  readonly version: number
  readonly dishType: string
}

/** As the catalogue has it now; frozen into the events. */
export interface Restaurant {
  readonly restaurantId: string
  readonly name: string
  readonly version: number
  readonly city: string | null
  readonly country: string | null
  readonly cuisineTypes: readonly string[]
}

/** The catalogue's answer for a command's ids; undefined where there is no such entity. */
export interface Subject {
  readonly restaurant: Restaurant | undefined
  readonly dish: Dish | undefined
  /** The restaurant serves the dish: there is a menu item. */
  readonly isOnMenu: boolean
}

interface Addressed {
  readonly restaurantId: string
  readonly dishId: string
  readonly subject: Subject
  /** ETags of the list, one of which must stand; absent: any list will do. */
  readonly ifMatch?: readonly string[] | undefined
}

/**
 * "I rank this dish." An absent field stays as it is (on a new ranking: none); null clears. A rank cannot be cleared:
 * absent means that the list finds the place.
 */
export interface PutRanking extends Addressed {
  readonly kind: 'put'
  /** Id for the ranking in case the command creates one. */
  readonly newRankingId: string
  readonly rank?: number | undefined
  readonly ratingHundredths?: number | null | undefined
  readonly notes?: string | null | undefined
  readonly photoUrl?: string | null | undefined
  /** Event time given by the client; absent: now. */
  readonly rankedAtMs?: number | undefined
}

/** "I take this ranking back." */
export interface RemoveRanking extends Addressed {
  readonly kind: 'remove'
}

export type RankingCommand = PutRanking | RemoveRanking

export const limits = {
  /** Far past any list (200 dishes), so that gaps stay possible; shifts then reach at most 10,199. */
  rankMax: 10_000,
  ratingHundredthsMin: 50,
  ratingHundredthsMax: 500,
  notesCharactersMax: 2_000,
  photoUrlCharactersMax: 2_048,
  /** Clients' clocks may be ahead of ours by this much. */
  clockSkewMsMax: 60_000,
  /** 0001-01-01T00:00:00Z, the first instant that ISO 8601 with four digits for the year can write. */
  rankedAtMsMin: -62_135_596_800_000,
} as const

/** A field of the command, named as in the public contract, and the rule that it breaks. */
export interface Fault {
  readonly field: 'rank' | 'rating' | 'notes' | 'photoUrl' | 'rankedAt'
  readonly rule: 'range' | 'step' | 'length' | 'text' | 'url' | 'not-in-future'
  readonly message: string
}

/** All faults of a command, not only the first. `now` in epoch milliseconds. */
export function faultsOf(command: PutRanking, now: number): readonly Fault[] {
  return [
    ...rankFaults(command.rank),
    ...ratingFaults(command.ratingHundredths),
    ...textFaults('notes', command.notes, limits.notesCharactersMax),
    ...photoUrlFaults(command.photoUrl),
    ...rankedAtFaults(command.rankedAtMs, now),
  ]
}

function rankFaults(rank: number | undefined): readonly Fault[] {
  if (rank === undefined || (Number.isInteger(rank) && rank >= 1 && rank <= limits.rankMax)) return []
  return [{ field: 'rank', rule: 'range', message: `must be an integer from 1 to ${limits.rankMax}` }]
}

function ratingFaults(hundredths: number | null | undefined): readonly Fault[] {
  if (hundredths === null || hundredths === undefined) return []
  if (!(hundredths >= limits.ratingHundredthsMin && hundredths <= limits.ratingHundredthsMax)) {
    return [{ field: 'rating', rule: 'range', message: 'must be from 0.5 to 5' }]
  }
  if (!Number.isInteger(hundredths)) return [{ field: 'rating', rule: 'step', message: 'must be in steps of 0.01' }]
  return []
}

function textFaults(field: 'notes' | 'photoUrl', text: string | null | undefined, charactersMax: number) {
  const faults: Fault[] = []
  if (text === null || text === undefined) return faults
  if (text.length === 0 || text.length > charactersMax) {
    faults.push({ field, rule: 'length', message: `must have 1 to ${charactersMax} characters; null clears` })
  }
  // PostgreSQL stores no U+0000, and a lone surrogate would come back as another character: never the same value again.
  if (text.includes('\u0000') || !text.isWellFormed()) {
    faults.push({ field, rule: 'text', message: 'must be well-formed Unicode without U+0000' })
  }
  return faults
}

function photoUrlFaults(url: string | null | undefined): readonly Fault[] {
  const faults = textFaults('photoUrl', url, limits.photoUrlCharactersMax)
  if (typeof url === 'string' && url.length > 0 && !/^https?:\/\/[^\s/]+/i.test(url)) {
    faults.push({ field: 'photoUrl', rule: 'url', message: 'must be an absolute http or https URL' })
  }
  return faults
}

function rankedAtFaults(rankedAtMs: number | undefined, now: number): readonly Fault[] {
  if (rankedAtMs === undefined) return []
  if (!Number.isInteger(rankedAtMs) || rankedAtMs < limits.rankedAtMsMin) {
    return [{ field: 'rankedAt', rule: 'range', message: 'must be an instant from the year 1 on, to the millisecond' }]
  }
  if (rankedAtMs > now + limits.clockSkewMsMax) {
    return [{ field: 'rankedAt', rule: 'not-in-future', message: 'must not be more than a minute ahead' }]
  }
  return []
}
