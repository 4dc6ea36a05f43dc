/** What a flush decides on, read in one statement; see `sql/load-commands.sql`. */
import { arrayOf, type Queryable, statement } from '@bellyfed/postgres'
import type { Dish, Restaurant, Subject } from '../domain/ranking-command.ts'
import type { RankingList } from '../domain/ranking-list.ts'
import { listKey, type Ranking, type UserAggregate } from '../domain/user-aggregate.ts'
import type { RankingRequest, StoredResult } from './requests.ts'

const loadCommands = statement(import.meta.url, '../../sql/load-commands.sql')

/** The result of an earlier run of a command. */
export interface EarlierResult {
  readonly requestHash: Buffer
  readonly stored: StoredResult
  /** Of the event that the receipt names. */
  readonly xid: bigint
  readonly position: bigint
}

/** One snapshot of everything that a flush's commands touch. */
export interface Loaded {
  /** Of the event store's positions. */
  readonly epoch: number
  user(userId: string): { readonly aggregate: UserAggregate; readonly textKey: Buffer | undefined }
  subject(request: RankingRequest): Subject
  earlierResult(request: RankingRequest): EarlierResult | undefined
}

type UserRow = [userId: string, version: number | null, updatedAtSeconds: number | null, textKeyHex: string | null]
type RestaurantRow = [string, string, number, string | null, string | null, string[]]
type DishRow = [dishId: string, name: string, version: number, dishType: string]
type MenuItemRow = [restaurantId: string, dishId: string]
type RankingRow = [
  userId: string,
  restaurantId: string,
  dishType: string,
  rankingId: string,
  dishId: string,
  dishName: string,
  dishVersion: number,
  rank: number,
  ratingHundredths: number | null,
  notes: string | null,
  photoUrl: string | null,
  firstRankedAtSeconds: number,
  lastRankedAtSeconds: number,
  createdAtSeconds: number,
  updatedAtSeconds: number,
  version: number,
]
type ResultRow = [string, string, requestHashHex: string, StoredResult, xid: string | null, position: string | null]

interface LoadedRow {
  readonly epoch: number
  readonly users: UserRow[] | null
  readonly restaurants: RestaurantRow[] | null
  readonly dishes: DishRow[] | null
  readonly menu_items: MenuItemRow[] | null
  readonly rankings: RankingRow[] | null
  readonly results: ResultRow[] | null
}

export async function load(q: Queryable, requests: readonly RankingRequest[]): Promise<Loaded> {
  const { rows } = await q.query<LoadedRow>(loadCommands, [
    arrayOf.uuid(requests.map((request) => request.userId)),
    arrayOf.uuid(requests.map((request) => request.restaurantId)),
    arrayOf.uuid(requests.map((request) => request.dishId)),
    arrayOf.text(requests.map((request) => request.commandId)),
  ])
  const row = rows[0]
  if (row === undefined) throw new Error('the load of commands answered without a row')
  const users = new Map((row.users ?? []).map((user) => [user[0], user]))
  const lists = listsByUser(row.rankings ?? [])
  const restaurants = new Map((row.restaurants ?? []).map((restaurant) => [restaurant[0], restaurantOf(restaurant)]))
  const dishes = new Map((row.dishes ?? []).map((dish) => [dish[0], dishOf(dish)]))
  const menu = new Set((row.menu_items ?? []).map(([restaurantId, dishId]) => pairKey(restaurantId, dishId)))
  const results = new Map((row.results ?? []).map((result) => [pairKey(result[0], result[1]), resultOf(result)]))
  return {
    epoch: row.epoch,
    user: (userId) => userOf(userId, users.get(userId), lists.get(userId)),
    subject: ({ restaurantId, dishId }) => ({
      restaurant: restaurants.get(restaurantId),
      dish: dishes.get(dishId),
      isOnMenu: menu.has(pairKey(restaurantId, dishId)),
    }),
    earlierResult: ({ userId, commandId }) => results.get(pairKey(userId, commandId)),
  }
}

/** Ids are UUIDs, so the first separator ends the first part. */
function pairKey(first: string, second: string): string {
  return `${first}/${second}`
}

function userOf(userId: string, row: UserRow | undefined, lists: Map<string, RankingList<Ranking>> | undefined) {
  const [, version, updatedAtSeconds, textKeyHex] = row ?? [userId, null, null, null]
  const aggregate: UserAggregate = {
    userId,
    isRegistered: row !== undefined,
    sequence: version ?? 0,
    acceptedAtMs: epochMs(updatedAtSeconds ?? 0),
    lists: lists ?? new Map(),
  }
  return { aggregate, textKey: textKeyHex === null ? undefined : Buffer.from(textKeyHex, 'hex') }
}

function restaurantOf([restaurantId, name, version, city, country, cuisineTypes]: RestaurantRow): Restaurant {
  return { restaurantId, name, version, city, country, cuisineTypes }
}

function dishOf([dishId, name, version, dishType]: DishRow): Dish {
  return { dishId, name, version, dishType }
}

function resultOf([, , requestHashHex, stored, xid, position]: ResultRow): EarlierResult {
  const requestHash = Buffer.from(requestHashHex, 'hex')
  return { requestHash, stored, xid: BigInt(xid ?? 0), position: BigInt(position ?? 0) }
}

/** The rows come in rank order, which is the order of lists. */
function listsByUser(rows: readonly RankingRow[]): Map<string, Map<string, RankingList<Ranking>>> {
  const byUser = new Map<string, Map<string, Ranking[]>>()
  for (const row of rows) {
    const [userId, restaurantId, dishType] = row
    const key = listKey(restaurantId, dishType)
    let lists = byUser.get(userId)
    if (lists === undefined) {
      lists = new Map()
      byUser.set(userId, lists)
    }
    const list = lists.get(key)
    if (list === undefined) lists.set(key, [rankingOf(row)])
    else list.push(rankingOf(row))
  }
  return byUser
}

function rankingOf(row: RankingRow): Ranking {
  return {
    rankingId: row[3],
    restaurantId: row[1],
    dishId: row[4],
    dishType: row[2],
    dishName: row[5],
    dishVersion: row[6],
    rank: row[7],
    ratingHundredths: row[8],
    notes: row[9],
    photoUrl: row[10],
    firstRankedAtMs: epochMs(row[11]),
    lastRankedAtMs: epochMs(row[12]),
    createdAtMs: epochMs(row[13]),
    updatedAtMs: epochMs(row[14]),
    sequence: row[15],
  }
}

/** Seconds as a double carry milliseconds exactly enough: the error is below a microsecond until the year 9999. */
function epochMs(seconds: number): number {
  return Math.round(seconds * 1_000)
}
