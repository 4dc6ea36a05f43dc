/** What can be asked of the history. Each question is one statement. Ids and times of arguments are checked by the routes. */
import { type Queryable, statement } from '@bellyfed/postgres'
import { type List, listsOf, type Standing } from './domain/lists.ts'

const selectUserHistory = statement(import.meta.url, '../sql/select-user-history.sql')
const selectDishHistory = statement(import.meta.url, '../sql/select-dish-history.sql')
const selectListsAsOf = statement(import.meta.url, '../sql/select-lists-as-of.sql')

/** One change of one ranking. */
export interface Change {
  readonly eventId: string
  readonly type: string
  readonly userId: string
  /** The version that the event gave the user's stream. */
  readonly version: number
  readonly cause: string
  readonly dishId: string
  readonly dishName: string
  readonly dishType: string
  readonly restaurantId: string
  readonly restaurantName: string
  readonly oldRank: number | null
  readonly newRank: number | null
  readonly oldRatingHundredths: number | null
  readonly newRatingHundredths: number | null
  readonly occurredAt: Date
  readonly acceptedAt: Date
  readonly commandId: string | null
}

export interface UserHistoryQuestion {
  readonly userId: string
  /** Only changes below this version; undefined for the newest. */
  readonly belowVersion: number | undefined
  readonly dishId: string | undefined
  readonly restaurantId: string | undefined
  readonly dishType: string | undefined
  readonly limit: number
}

// Bounds instead of "or null": with those, a prepared statement could not begin at the cursor's place in the index.
const aboveEveryVersion = 9_223_372_036_854_775_807n
const aboveEveryUser = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Changes of one user, newest first. */
export async function userHistory(q: Queryable, question: UserHistoryQuestion): Promise<Change[]> {
  const { userId, belowVersion, dishId, restaurantId, dishType, limit } = question
  const values = [
    userId,
    belowVersion ?? aboveEveryVersion,
    dishId ?? null,
    restaurantId ?? null,
    dishType ?? null,
    limit,
  ]
  return (await q.query<Change>(selectUserHistory, values)).rows
}

/** A place in a dish's history. */
export interface DishHistoryPlace {
  readonly acceptedAt: Date
  readonly userId: string
  readonly version: number
}

/** Changes of one dish by all users, the last accepted first. */
export async function dishHistory(
  q: Queryable,
  { dishId, below, limit }: { dishId: string; below: DishHistoryPlace | undefined; limit: number },
): Promise<Change[]> {
  const place = below ?? { acceptedAt: 'infinity', userId: aboveEveryUser, version: aboveEveryVersion }
  return (await q.query<Change>(selectDishHistory, [dishId, place.acceptedAt, place.userId, place.version, limit])).rows
}

/** A ranking as it stood, with the change that put it there. */
export interface StandingRow extends Standing {
  readonly eventId: string
  readonly cause: string
  readonly occurredAt: Date
  readonly acceptedAt: Date
}

export interface ListsAsOf {
  /** The version of the user's stream up to which the lists were made; 0 before the first event. */
  readonly version: number
  readonly lists: readonly List<StandingRow>[]
}

export interface ListsQuestion {
  readonly userId: string
  /** Acceptance time; undefined for everything known now. */
  readonly asOf: Date | undefined
  readonly dishType: string | undefined
  readonly restaurantId: string | undefined
}

/** A user's lists as they stood at an acceptance time. */
export async function listsAsOf(
  q: Queryable,
  { userId, asOf, dishType, restaurantId }: ListsQuestion,
): Promise<ListsAsOf> {
  const values = [userId, asOf ?? 'infinity', dishType ?? null, restaurantId ?? null]
  const { rows } = await q.query<StandingRow & { asOfVersion: number }>(selectListsAsOf, values)
  // One row without a dish when nothing stood at that version; no row before the first event.
  return { version: rows[0]?.asOfVersion ?? 0, lists: listsOf(rows.filter((row) => row.dishId !== null)) }
}
