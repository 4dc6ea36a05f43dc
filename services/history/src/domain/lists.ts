/**
 * A user's lists at one moment. A list is one user's order of the dishes of one type at one restaurant; it is made of
 * the last change of each ranking up to that moment, without those that were withdrawn.
 */

/** Where a ranking stood, and the change that put it there. */
export interface Standing {
  readonly dishId: string
  readonly dishName: string
  readonly dishType: string
  readonly restaurantId: string
  readonly restaurantName: string
  readonly rank: number
  readonly ratingHundredths: number | null
  /** The version of the user's stream that this change made. */
  readonly version: number
}

export interface List<S extends Standing> {
  readonly restaurantId: string
  readonly restaurantName: string
  readonly dishType: string
  /** From rank 1 down; gaps between ranks are the user's own. */
  readonly dishes: readonly S[]
}

/** The lists that these standings form: by restaurant id, then dish type; each from its first rank down. */
export function listsOf<S extends Standing>(standings: readonly S[]): List<S>[] {
  const groups = Map.groupBy(standings, (standing) => `${standing.restaurantId} ${standing.dishType}`)
  return [...groups.keys()].sort().map((key) => listOf(groups.get(key) as S[]))
}

function listOf<S extends Standing>(standings: readonly S[]): List<S> {
  const dishes = standings.toSorted((a, b) => a.rank - b.rank)
  // The restaurant may have been renamed in between: the latest change knows its name best.
  const latest = standings.reduce((a, b) => (b.version > a.version ? b : a))
  const { restaurantId, restaurantName, dishType } = latest
  return { restaurantId, restaurantName, dishType, dishes }
}
