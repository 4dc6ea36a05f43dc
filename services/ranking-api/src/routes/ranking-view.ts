import type { StoredRanking } from '../queries/rankings.ts'
import type { Ranking } from './shapes.ts'

/** A ranking in the public contract: decimals for hundredths, ISO texts for epoch milliseconds. */
export function rankingView(userId: string, ranking: StoredRanking): Ranking {
  return {
    userId,
    restaurantId: ranking.restaurantId,
    dishId: ranking.dishId,
    dishType: ranking.dishType,
    rank: ranking.rank,
    rating: ranking.ratingHundredths === null ? null : ranking.ratingHundredths / 100,
    notes: ranking.notes,
    photoUrl: ranking.photoUrl,
    rankedAt: new Date(ranking.lastRankedAtMs).toISOString(),
    updatedAt: new Date(ranking.updatedAtMs).toISOString(),
  }
}
