/**
 * The user is the aggregate: all of a user's rankings share one stream, whose version is the user's sequence.
 *
 * `decide` turns a command into events or a refusal; `evolve` replays events over a state. `decide` returns the state
 * that `evolve` makes of its own events, so what is stored and what a reader of the events sees cannot differ, and several
 * commands of one user can be decided one upon the other.
 *
 * The order of events of one command: the act itself, then each other dish whose place differs in the end, from the top.
 * They share the act's times.
 */
import {
  type Fault,
  faultsOf,
  type PutRanking,
  type RankingCommand,
  type RemoveRanking,
  type Restaurant,
} from './ranking-command.ts'
import type { RankingEvent } from './ranking-event.ts'
import {
  dishesPerListMax,
  type Placed,
  place,
  type RankingList,
  rankByRating,
  shiftsBetween,
  withdraw,
} from './ranking-list.ts'

/** What an event says of a ranking. */
export interface Standing extends Placed {
  readonly rankingId: string
  readonly restaurantId: string
  readonly dishType: string
  readonly dishName: string
  readonly dishVersion: number
  readonly notes: string | null
  readonly photoUrl: string | null
}

/** A ranking that is alive. */
export interface Ranking extends Standing {
  /** Least and greatest event time of the user's own acts (`ranked`, `confirmed`) on this ranking. */
  readonly firstRankedAtMs: number
  readonly lastRankedAtMs: number
  /** Acceptance of the first and of the latest event. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Sequence of the latest event of this ranking. */
  readonly sequence: number
}

export interface UserAggregate {
  readonly userId: string
  /** False when the user was never registered or has been erased. */
  readonly isRegistered: boolean
  /** Of the latest event; 0 before the first. */
  readonly sequence: number
  /** Of the latest event; 0 before the first. */
  readonly acceptedAtMs: number
  /** By `listKey`. A list that is not here is empty: load every list that a command may touch. */
  readonly lists: ReadonlyMap<string, RankingList<Ranking>>
}

export type Refusal =
  | { readonly code: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly code: 'user-not-found'; readonly userId: string }
  | { readonly code: 'restaurant-not-found'; readonly restaurantId: string }
  | { readonly code: 'dish-not-found'; readonly dishId: string }
  | { readonly code: 'dish-not-on-menu'; readonly restaurantId: string; readonly dishId: string }
  | { readonly code: 'ranking-not-found'; readonly restaurantId: string; readonly dishId: string }
  | { readonly code: 'list-changed'; readonly list: RankingList<Ranking>; readonly listEtag: string }
  | { readonly code: 'list-full'; readonly dishesMax: number }

export interface Accepted {
  readonly events: readonly RankingEvent[]
  /** The state after `events`. */
  readonly user: UserAggregate
  readonly isCreated: boolean
  /** As it stands after; null when it was withdrawn. */
  readonly ranking: Ranking | null
  /** The list that the command touched, as it stands after. */
  readonly list: RankingList<Ranking>
}

export type Decision = Accepted | { readonly refusal: Refusal }

export function listKey(restaurantId: string, dishType: string): string {
  return `${restaurantId}/${dishType}`
}

/**
 * Changes whenever the list does. The greatest sequence and the count are enough: a later list whose greatest sequence is
 * not greater has lost dishes and nothing else, so it is either shorter or the same.
 */
export function listEtag(list: readonly Pick<Ranking, 'sequence'>[]): string {
  let sequenceMax = 0
  for (const ranking of list) if (ranking.sequence > sequenceMax) sequenceMax = ranking.sequence
  return `"${sequenceMax}-${list.length}"`
}

/** `now` in epoch milliseconds. The command's subject must be what the catalogue says for its ids. */
export function decide(user: UserAggregate, command: RankingCommand, now: number): Decision {
  if (command.kind === 'put') {
    const faults = faultsOf(command, now)
    if (faults.length > 0) return { refusal: { code: 'invalid', faults } }
  }
  const { restaurantId, dishId } = command
  const { restaurant, dish } = command.subject
  if (!user.isRegistered) return { refusal: { code: 'user-not-found', userId: user.userId } }
  if (restaurant === undefined) return { refusal: { code: 'restaurant-not-found', restaurantId } }
  if (dish === undefined) return { refusal: { code: 'dish-not-found', dishId } }

  const list = user.lists.get(listKey(restaurantId, dish.dishType)) ?? []
  const etag = listEtag(list)
  if (command.ifMatch !== undefined && !command.ifMatch.includes(etag)) {
    return { refusal: { code: 'list-changed', list, listEtag: etag } }
  }
  const acceptedAtMs = Math.max(now, user.acceptedAtMs)
  const current = list.find((ranking) => ranking.dishId === dishId)
  if (command.kind === 'remove') {
    if (current === undefined) return { refusal: { code: 'ranking-not-found', restaurantId, dishId } }
    return remove(user, list, current, { command, restaurant, acceptedAtMs })
  }
  if (current !== undefined) return update(user, list, current, { command, restaurant, acceptedAtMs })
  if (!command.subject.isOnMenu) return { refusal: { code: 'dish-not-on-menu', restaurantId, dishId } }
  if (list.length >= dishesPerListMax) return { refusal: { code: 'list-full', dishesMax: dishesPerListMax } }
  const created: Standing = {
    rankingId: command.newRankingId,
    restaurantId,
    dishId,
    dishType: dish.dishType,
    dishName: dish.name,
    dishVersion: dish.version,
    rank: command.rank ?? rankByRating(list, command.ratingHundredths ?? null),
    ratingHundredths: command.ratingHundredths ?? null,
    notes: command.notes ?? null,
    photoUrl: command.photoUrl ?? null,
  }
  const act = { type: 'DISH_RANKED', cause: 'ranked', before: null, after: created } as const
  return accept(user, list, place<Standing>(list, created), act, { command, restaurant, acceptedAtMs })
}

/** What the events of one command have in common. */
interface Act<Command extends RankingCommand = RankingCommand> {
  readonly command: Command
  readonly restaurant: Restaurant
  readonly acceptedAtMs: number
}

function update(user: UserAggregate, list: RankingList<Ranking>, current: Ranking, act: Act<PutRanking>): Decision {
  const { command } = act
  const wanted: Standing = {
    ...current,
    ratingHundredths: orStays(command.ratingHundredths, current.ratingHundredths),
    notes: orStays(command.notes, current.notes),
    photoUrl: orStays(command.photoUrl, current.photoUrl),
  }
  const isPlacedByRating =
    command.rank === undefined &&
    wanted.ratingHundredths !== null &&
    wanted.ratingHundredths !== current.ratingHundredths
  let after = wanted
  let listAfter: RankingList<Standing> = list.map((ranking) => (ranking === current ? wanted : ranking))
  if (command.rank !== undefined || isPlacedByRating) {
    const others = withdraw<Standing>(list, current.dishId)
    after = { ...wanted, rank: command.rank ?? rankByRating(others, wanted.ratingHundredths) }
    listAfter = place(others, after)
  }
  const isSame =
    after.rank === current.rank &&
    after.ratingHundredths === current.ratingHundredths &&
    after.notes === current.notes &&
    after.photoUrl === current.photoUrl
  if (!isSame) {
    const change = { type: 'DISH_RANKING_UPDATED', cause: 'ranked', before: current, after } as const
    return accept(user, list, listAfter, change, act)
  }
  if (command.rankedAtMs !== undefined && command.rankedAtMs > current.lastRankedAtMs) {
    const confirmation = { type: 'DISH_RANKING_UPDATED', cause: 'confirmed', before: current, after } as const
    return accept(user, list, list, confirmation, act)
  }
  return { events: [], user, isCreated: false, ranking: current, list }
}

function orStays<Value>(given: Value | null | undefined, current: Value | null): Value | null {
  return given === undefined ? current : given
}

function remove(user: UserAggregate, list: RankingList<Ranking>, current: Ranking, act: Act<RemoveRanking>): Decision {
  const withdrawal = { type: 'DISH_RANKING_REMOVED', cause: 'withdrawn', before: current, after: null } as const
  return accept(user, list, withdraw(list, current.dishId), withdrawal, act)
}

type Change =
  | { type: 'DISH_RANKED'; cause: 'ranked'; before: null; after: Standing }
  | { type: 'DISH_RANKING_UPDATED'; cause: 'ranked' | 'confirmed' | 'shifted'; before: Standing; after: Standing }
  | { type: 'DISH_RANKING_REMOVED'; cause: 'withdrawn'; before: Standing; after: null }

/** The act's own event, then the dishes that it shifted. */
function accept(
  user: UserAggregate,
  before: RankingList<Standing>,
  after: RankingList<Standing>,
  change: Change,
  act: Act,
): Accepted {
  const own = change.after ?? change.before
  const events = [eventOf(change, act, user.sequence + 1)]
  for (const { dish, oldRank } of shiftsBetween(before, after)) {
    if (dish.dishId === own.dishId) continue
    const shift: Change = {
      type: 'DISH_RANKING_UPDATED',
      cause: 'shifted',
      before: { ...dish, rank: oldRank },
      after: dish,
    }
    events.push(eventOf(shift, act, user.sequence + events.length + 1))
  }
  const userAfter = evolve(user, events)
  const list = userAfter.lists.get(listKey(own.restaurantId, own.dishType)) ?? []
  return {
    events,
    user: userAfter,
    isCreated: change.type === 'DISH_RANKED',
    ranking: list.find((ranking) => ranking.dishId === own.dishId) ?? null,
    list,
  }
}

function eventOf(change: Change, act: Act, sequence: number): RankingEvent {
  const { command, restaurant, acceptedAtMs } = act
  const own = change.after ?? change.before
  const envelope = {
    rankingId: own.rankingId,
    sequence,
    occurredAtMs: (command.kind === 'put' ? command.rankedAtMs : undefined) ?? acceptedAtMs,
    acceptedAtMs,
    // The acted-on dish as the catalogue has it now; its neighbours as loaded with the list, which is the same moment.
    dish: { dishId: own.dishId, name: own.dishName, version: own.dishVersion, dishType: own.dishType },
    restaurant,
  }
  switch (change.type) {
    case 'DISH_RANKED': {
      const { type, cause, after } = change
      return { ...envelope, type, cause, oldRank: null, oldRatingHundredths: null, ...standing(after) }
    }
    case 'DISH_RANKING_UPDATED': {
      const { type, cause, before, after } = change
      const old = { oldRank: before.rank, oldRatingHundredths: before.ratingHundredths }
      return { ...envelope, type, cause, ...old, ...standing(after) }
    }
    case 'DISH_RANKING_REMOVED': {
      const { type, cause, before } = change
      const old = { oldRank: before.rank, oldRatingHundredths: before.ratingHundredths }
      return { ...envelope, type, cause, ...old, newRank: null, newRatingHundredths: null, notes: null, photoUrl: null }
    }
    default:
      return change satisfies never
  }
}

function standing(after: Standing) {
  return {
    newRank: after.rank,
    newRatingHundredths: after.ratingHundredths,
    notes: after.notes,
    photoUrl: after.photoUrl,
  }
}

/** The state after the events, which must be the next of this user's stream and of whole commands. */
export function evolve(user: UserAggregate, events: readonly RankingEvent[]): UserAggregate {
  const lists = new Map(user.lists)
  const touched = new Map<string, Map<string, Ranking>>()
  let { sequence, acceptedAtMs } = user
  for (const event of events) {
    const key = listKey(event.restaurant.restaurantId, event.dish.dishType)
    let byDish = touched.get(key)
    if (byDish === undefined) {
      byDish = new Map((lists.get(key) ?? []).map((ranking) => [ranking.dishId, ranking]))
      touched.set(key, byDish)
    }
    const after = rankingAfter(byDish.get(event.dish.dishId), event)
    if (after === null) byDish.delete(event.dish.dishId)
    else byDish.set(event.dish.dishId, after)
    sequence = event.sequence
    acceptedAtMs = event.acceptedAtMs
  }
  for (const [key, byDish] of touched) {
    lists.set(
      key,
      [...byDish.values()].sort((a, b) => a.rank - b.rank),
    )
  }
  return { ...user, sequence, acceptedAtMs, lists }
}

function rankingAfter(before: Ranking | undefined, event: RankingEvent): Ranking | null {
  if (event.type === 'DISH_RANKING_REMOVED') return null
  const isAct = event.cause === 'ranked' || event.cause === 'confirmed'
  // A shift is nobody's act on this ranking, so its time does not count here.
  const actedAtMs = isAct ? [event.occurredAtMs] : []
  return {
    rankingId: event.rankingId,
    restaurantId: event.restaurant.restaurantId,
    dishId: event.dish.dishId,
    dishType: event.dish.dishType,
    dishName: event.dish.name,
    dishVersion: event.dish.version,
    rank: event.newRank,
    ratingHundredths: event.newRatingHundredths,
    notes: event.notes,
    photoUrl: event.photoUrl,
    firstRankedAtMs: Math.min(before?.firstRankedAtMs ?? event.occurredAtMs, ...actedAtMs),
    lastRankedAtMs: Math.max(before?.lastRankedAtMs ?? event.occurredAtMs, ...actedAtMs),
    createdAtMs: before?.createdAtMs ?? event.acceptedAtMs,
    updatedAtMs: event.acceptedAtMs,
    sequence: event.sequence,
  }
}
