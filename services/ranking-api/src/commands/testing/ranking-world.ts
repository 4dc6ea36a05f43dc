/**
 * A small world for tests and measurements of the ranking commands: users, restaurants that all serve the same dishes,
 * servers that accept commands, and a look at what was written, replayed from the events' bytes alone.
 */
import { arrayOf, inlineStatement, type Pool } from '@bellyfed/postgres'
import { createLogger, createMetrics } from '@bellyfed/process'
import {
  type Codec,
  createCodec,
  type DishId,
  type DishRanked,
  parseDishId,
  parseRestaurantId,
  parseUserId,
  type RestaurantId,
  schemaDefinitions,
  type UserId,
} from '@bellyfed/schemas'
import { v5, v7 } from 'uuid'
import { createRankingCommands, type RankingCommands, type RankingCommandsOptions } from '../ranking-commands.ts'
import type { PutRankingRequest, RemoveRankingRequest } from '../requests.ts'
import { unsealText } from '../sealed-text.ts'

const rankingEvents = ['DISH_RANKED', 'DISH_RANKING_UPDATED', 'DISH_RANKING_REMOVED'] as const
export const schemaIds = { DISH_RANKED: 1, DISH_RANKING_UPDATED: 2, DISH_RANKING_REMOVED: 3 } as const

/** A codec that needs no registry: the ids above are its whole world. */
export async function createWorldCodec(): Promise<Codec> {
  const codec = createCodec({
    writerSchema: (id) => {
      const type = rankingEvents.find((name) => schemaIds[name] === id)
      if (type === undefined) throw new Error(`no schema ${id}`)
      return Promise.resolve(schemaDefinitions.schemaJson(schemaDefinitions.recordFor(type)))
    },
  })
  await codec.prepare(Object.values(schemaIds))
  return codec
}

const namespace = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'

export const userId = (name: string | number): UserId => parseUserId(v5(`user:${name}`, namespace))
export const restaurantId = (name: string | number): RestaurantId =>
  parseRestaurantId(v5(`restaurant:${name}`, namespace))
export const dishId = (name: string | number): DishId => parseDishId(v5(`dish:${name}`, namespace))

const insertUsers = inlineStatement('world-users', 'insert into users (user_id) select * from unnest($1::uuid[])')
const insertRestaurants = inlineStatement(
  'world-restaurants',
  `insert into restaurants (restaurant_id, name, city, country, cuisine_type)
   select id, 'Restaurant ' || place, 'Osaka', 'JP', '{japanese}'
   from unnest($1::uuid[]) with ordinality as given (id, place)`,
)
const insertDishes = inlineStatement(
  'world-dishes',
  `insert into dishes (dish_id, name, dish_type)
   select id, 'Dish ' || place, 'ramen' from unnest($1::uuid[]) with ordinality as given (id, place)`,
)
const insertMenu = inlineStatement(
  'world-menu',
  'insert into menu_items (restaurant_id, dish_id) select restaurant_id, dish_id from restaurants, dishes',
)

export interface WorldSize {
  readonly users: number
  readonly restaurants: number
  readonly dishes: number
}

/** Entities named 1, 2, 3 … ; every restaurant serves every dish; all dishes are ramen. */
export async function seedWorld(pool: Pool, size: WorldSize): Promise<void> {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
  await pool.query(insertUsers, [arrayOf.uuid(numbers(size.users).map(userId))])
  await pool.query(insertRestaurants, [arrayOf.uuid(numbers(size.restaurants).map(restaurantId))])
  await pool.query(insertDishes, [arrayOf.uuid(numbers(size.dishes).map(dishId))])
  await pool.query(insertMenu)
}

/** One server's engine. */
export function createServer(
  pool: Pool,
  codec: Pick<Codec, 'encode'>,
  options: RankingCommandsOptions & { readonly clock?: () => number } = {},
) {
  const { clock, ...engineOptions } = options
  const metrics = createMetrics('test', { processMetrics: false })
  const log = createLogger({ service: 'test', level: 'silent' })
  const commands: RankingCommands = createRankingCommands({
    pool,
    codec,
    schemaIds,
    log,
    metrics,
    options: engineOptions,
    ...(clock === undefined ? {} : { clock }),
  })
  return { ...commands, metrics }
}

type Names = { readonly user?: string | number; readonly restaurant?: string | number; readonly dish?: string | number }

function addressOf({ user = 1, restaurant = 1, dish = 1 }: Names, commandId: string | undefined) {
  return {
    commandId: commandId ?? v7(),
    userId: userId(user),
    restaurantId: restaurantId(restaurant),
    dishId: dishId(dish),
  }
}

export function put(facts: Names & Partial<PutRankingRequest> = {}): PutRankingRequest {
  const { user, restaurant, dish, ...fields } = facts
  const names = { ...(user && { user }), ...(restaurant && { restaurant }), ...(dish && { dish }) }
  return { ...addressOf(names, fields.commandId), ...fields, kind: 'put' }
}

export function remove(facts: Names & Partial<RemoveRankingRequest> = {}): RemoveRankingRequest {
  const { user, restaurant, dish, ...fields } = facts
  const names = { ...(user && { user }), ...(restaurant && { restaurant }), ...(dish && { dish }) }
  return { ...addressOf(names, fields.commandId), ...fields, kind: 'remove' }
}

/** A ranking as rows and events both tell it. */
export interface Standing {
  readonly restaurantId: string
  readonly dishId: string
  readonly rank: number
  readonly ratingHundredths: number | null
  readonly notes: string | null
  readonly photoUrl: string | null
  readonly firstRankedAtMs: number
  readonly lastRankedAtMs: number
  readonly version: number
}

export interface StoredUser {
  readonly version: number
  readonly sequences: readonly number[]
  readonly events: readonly DishRanked[]
  readonly rows: readonly Standing[]
  /** The same, replayed from the events. */
  readonly replayed: readonly Standing[]
  readonly commandIds: readonly string[]
}

const selectUser = inlineStatement(
  'world-user',
  `select
    coalesce((select version from aggregates where id = $1), 0)::int as version,
    (select key from user_keys where user_id = $1) as key,
    (select coalesce(json_agg(json_build_array(version, encode(payload, 'hex')) order by version), '[]')
     from events where stream = $1) as events,
    (select coalesce(json_agg(command_id order by command_id), '[]') from command_results where user_id = $1) as command_ids,
    (select coalesce(json_agg(json_build_object(
       'restaurantId', restaurant_id, 'dishId', dish_id, 'rank', rank, 'ratingHundredths', rating_hundredths,
       'notes', notes, 'photoUrl', photo_url,
       'firstRankedAtMs', round(extract(epoch from first_ranked_at) * 1000),
       'lastRankedAtMs', round(extract(epoch from last_ranked_at) * 1000), 'version', version
     ) order by restaurant_id, rank), '[]') from user_rankings where user_id = $1) as rankings`,
)

interface UserRow {
  readonly version: number
  readonly key: Buffer | null
  readonly events: readonly [number, string][]
  readonly command_ids: readonly string[]
  readonly rankings: readonly Standing[]
}

/** Everything that is stored of a user. */
export async function storedUser(pool: Pool, codec: Codec, name: string | number): Promise<StoredUser> {
  const id = userId(name)
  const { rows } = await pool.query<UserRow>(selectUser, [id])
  const row = rows[0]
  if (row === undefined) throw new Error('no row')
  const events = row.events.map(([, hex]) => codec.decode(Buffer.from(hex, 'hex')).event as DishRanked)
  return {
    version: row.version,
    sequences: row.events.map(([version]) => version),
    events,
    rows: row.rankings,
    replayed: replay(events, (sealed) => {
      if (row.key === null) throw new Error('sealed text without a key')
      return unsealText(sealed, row.key, id)
    }),
    commandIds: row.command_ids,
  }
}

/** Slow and plain: the last event of a ranking is the ranking. */
function replay(events: readonly DishRanked[], unseal: (sealed: Buffer) => string): Standing[] {
  const standings = new Map<string, Standing>()
  for (const event of events) {
    const key = `${event.restaurantId}/${event.dishId}`
    const before = standings.get(key)
    if (event.newRank === null) {
      standings.delete(key)
      continue
    }
    const isAct = event.cause === 'ranked' || event.cause === 'confirmed'
    const acts = [before?.firstRankedAtMs, before?.lastRankedAtMs, isAct ? event.occurredAtMs : undefined]
    const times = acts.filter((time) => time !== undefined)
    standings.set(key, {
      restaurantId: event.restaurantId,
      dishId: event.dishId,
      rank: event.newRank,
      ratingHundredths: event.newRatingHundredths,
      notes: event.notesSealed === null ? null : unseal(event.notesSealed),
      photoUrl: event.photoUrlSealed === null ? null : unseal(event.photoUrlSealed),
      firstRankedAtMs: Math.min(...times),
      lastRankedAtMs: Math.max(...times),
      version: event.sequence,
    })
  }
  return [...standings.values()].sort((a, b) =>
    a.restaurantId < b.restaurantId ? -1 : a.restaurantId > b.restaurantId ? 1 : a.rank - b.rank,
  )
}
