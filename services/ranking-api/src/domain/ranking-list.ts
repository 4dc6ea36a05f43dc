/**
 * One list: a user's personal order of the dishes of one dish type at one restaurant. Rank 1 is the One Best.
 *
 * A list behaves like a list:
 * - Placing into a taken rank moves the dish there, and the run that directly follows it, down by one. The run ends at
 *   the first free rank, so nothing behind a gap moves.
 * - Withdrawing moves the run directly behind the freed rank up by one; again nothing behind a gap moves.
 * - A move is both: the dish is taken out first, then placed like a new one.
 * So a gap comes only from a rank that the user gave, and dishes other than the placed one never overtake each other.
 *
 * All functions take a list in rank order with unique ranks and return one; none changes its argument.
 */

export interface Placed {
  readonly dishId: string
  /** 1 is the top; unique in the list, not necessarily without gaps. */
  readonly rank: number
  /** 50..500; null for a dish without a rating. */
  readonly ratingHundredths: number | null
}

/** In rank order, ranks unique. */
export type RankingList<Dish extends Placed = Placed> = readonly Dish[]

/** More is a menu, not an order anyone keeps in mind; it also bounds the events that one command can cause. */
export const dishesPerListMax = 200

/**
 * The place that a rating earns: behind the last dish with an equal or higher rating, first when there is none.
 * Unrated dishes do not count. A dish without a rating goes to the end.
 */
export function rankByRating(list: RankingList, ratingHundredths: number | null): number {
  const ahead =
    ratingHundredths === null
      ? list.at(-1)
      : list.findLast((dish) => dish.ratingHundredths !== null && dish.ratingHundredths >= ratingHundredths)
  return ahead === undefined ? 1 : ahead.rank + 1
}

/** Puts a dish that is not in the list at its `rank`; a run that starts there moves down by one. */
export function place<Dish extends Placed>(list: RankingList<Dish>, dish: Dish): RankingList<Dish> {
  const at = list.findIndex((other) => other.rank >= dish.rank)
  if (at === -1) return [...list, dish]
  const placed: Dish[] = [...list.slice(0, at), dish]
  let takenRank = dish.rank
  for (const other of list.slice(at)) {
    if (other.rank === takenRank) {
      takenRank += 1
      placed.push({ ...other, rank: takenRank })
    } else {
      placed.push(other)
    }
  }
  return placed
}

/** Takes a dish out; the run directly behind its rank moves up by one. A list without the dish comes back as it is. */
export function withdraw<Dish extends Placed>(list: RankingList<Dish>, dishId: string): RankingList<Dish> {
  const at = list.findIndex((dish) => dish.dishId === dishId)
  const withdrawn = list[at]
  if (withdrawn === undefined) return list
  const rest: Dish[] = list.slice(0, at)
  let freeRank = withdrawn.rank
  for (const other of list.slice(at + 1)) {
    if (other.rank === freeRank + 1) {
      rest.push({ ...other, rank: freeRank })
      freeRank += 1
    } else {
      rest.push(other)
    }
  }
  return rest
}

/** A dish whose place differs between two states of a list. */
export interface Shift<Dish extends Placed> {
  /** As it stands after. */
  readonly dish: Dish
  readonly oldRank: number
}

/** The dishes in both lists whose rank differs, from the top of the list as it stands after. */
export function shiftsBetween<Dish extends Placed>(
  before: RankingList<Dish>,
  after: RankingList<Dish>,
): readonly Shift<Dish>[] {
  const oldRanks = new Map(before.map((dish) => [dish.dishId, dish.rank]))
  const shifts: Shift<Dish>[] = []
  for (const dish of after) {
    const oldRank = oldRanks.get(dish.dishId)
    if (oldRank !== undefined && oldRank !== dish.rank) shifts.push({ dish, oldRank })
  }
  return shifts
}
