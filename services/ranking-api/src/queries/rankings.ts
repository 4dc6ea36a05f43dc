/** Reads of the service's own tables: rankings as they stand. */
import { type Pool, statement } from '@bellyfed/postgres'
import type { Ranking } from '../domain/user-aggregate.ts'

const listRankings = statement(import.meta.url, '../../sql/reads/list-rankings.sql')
const getList = statement(import.meta.url, '../../sql/reads/get-list.sql')
const selectBestDishes = statement(import.meta.url, '../../sql/reads/best-dishes.sql')

interface RankingRow {
  readonly ranking_id: string
  readonly dish_id: string
  readonly dish_type: string
  readonly restaurant_id: string
  readonly rank: number
  readonly rating_hundredths: number | null
  readonly notes: string | null
  readonly photo_url: string | null
  readonly first_ranked_at: Date
  readonly last_ranked_at: Date
  readonly created_at: Date
  readonly updated_at: Date
  readonly version: bigint
}

/** A ranking as the table has it; names of dishes belong to the catalogue. */
export type StoredRanking = Omit<Ranking, 'dishName' | 'dishVersion'>

function rankingOf(row: RankingRow): StoredRanking {
  return {
    rankingId: row.ranking_id,
    dishId: row.dish_id,
    dishType: row.dish_type,
    restaurantId: row.restaurant_id,
    rank: row.rank,
    ratingHundredths: row.rating_hundredths,
    notes: row.notes,
    photoUrl: row.photo_url,
    firstRankedAtMs: row.first_ranked_at.getTime(),
    lastRankedAtMs: row.last_ranked_at.getTime(),
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
    sequence: Number(row.version),
  }
}

/** Where a page of rankings ended. */
export interface RankingsPlace {
  readonly dishType: string
  readonly restaurantId: string
  readonly rank: number
}

export interface RankingsQuery {
  readonly userId: string
  readonly dishType?: string | undefined
  readonly restaurantId?: string | undefined
  readonly after?: RankingsPlace | undefined
  readonly limit: number
}

/** One page of a user's rankings, list by list and each in its order. */
export async function rankingsOf(pool: Pool, query: RankingsQuery): Promise<StoredRanking[]> {
  const { userId, dishType, restaurantId, after, limit } = query
  const place = [after?.dishType ?? null, after?.restaurantId ?? null, after?.rank ?? null]
  const values = [userId, dishType ?? null, restaurantId ?? null, ...place, limit]
  const { rows } = await pool.query<RankingRow>(listRankings, values)
  return rows.map(rankingOf)
}

export interface ListQuery {
  readonly userId: string
  readonly restaurantId: string
  readonly dishId: string
}

/** The whole list that the dish belongs to, in its order; empty when there is none. */
export async function listOf(pool: Pool, query: ListQuery): Promise<StoredRanking[]> {
  const { rows } = await pool.query<RankingRow>(getList, [query.userId, query.restaurantId, query.dishId])
  return rows.map(rankingOf)
}

export interface BestDishesQuery {
  readonly city: string
  readonly dishType: string
  readonly offset: number
  readonly limit: number
}

interface BestDishRow {
  readonly dish_id: string
  readonly dish_name: string
  readonly restaurant_id: string
  readonly restaurant_name: string
  readonly price: string | null
  readonly is_available: boolean
  readonly one_best_count: number
  readonly ranking_count: number
  readonly rating_count: number
  readonly rating_sum_hundredths: bigint
}

/** One page of the best dishes of a type in a city, the best first. */
export async function bestDishes(pool: Pool, { city, dishType, offset, limit }: BestDishesQuery) {
  const { rows } = await pool.query<BestDishRow>(selectBestDishes, [city, dishType, limit, offset])
  return rows.map((row) => ({
    dishId: row.dish_id,
    dishName: row.dish_name,
    restaurantId: row.restaurant_id,
    restaurantName: row.restaurant_name,
    price: row.price === null ? null : Number(row.price),
    isAvailable: row.is_available,
    oneBestCount: row.one_best_count,
    rankingCount: row.ranking_count,
    ratingCount: row.rating_count,
    ratingMean: row.rating_count === 0 ? null : Math.round(Number(row.rating_sum_hundredths) / row.rating_count) / 100,
  }))
}
