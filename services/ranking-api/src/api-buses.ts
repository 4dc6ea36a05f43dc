/** What this service can be asked for, by name: everything that changes something, and everything that only reads. */
import type { Pool } from '@bellyfed/postgres'
import { type CommandBus, createCommandBus, createQueryBus, type QueryBus } from './commands/bus.ts'
import type { RankingCommands } from './commands/ranking-commands.ts'
import type {
  CommandFailed,
  CommandOutcome,
  PutRankingRequest,
  RankingRequest,
  RemoveRankingRequest,
} from './commands/requests.ts'
import {
  type BestDishesQuery,
  bestDishes,
  type ListQuery,
  listOf,
  type RankingsQuery,
  rankingsOf,
} from './queries/rankings.ts'

export interface ApiCommands {
  'ranking.put': { in: PutRankingRequest; out: CommandOutcome }
  'ranking.remove': { in: RemoveRankingRequest; out: CommandOutcome }
  'ranking.batch': { in: readonly RankingRequest[]; out: readonly (CommandOutcome | CommandFailed)[] }
}
export type ApiCommandBus = CommandBus<ApiCommands>

export interface ApiQueries {
  'rankings.of-user': { in: RankingsQuery; out: Awaited<ReturnType<typeof rankingsOf>> }
  'rankings.list': { in: ListQuery; out: Awaited<ReturnType<typeof listOf>> }
  'dishes.best': { in: BestDishesQuery; out: Awaited<ReturnType<typeof bestDishes>> }
}
export type ApiQueryBus = QueryBus<ApiQueries>

export function createApiCommandBus(rankings: Pick<RankingCommands, 'put' | 'remove' | 'batch'>): ApiCommandBus {
  return createCommandBus<ApiCommands>()
    .register('ranking.put', (request) => rankings.put(request))
    .register('ranking.remove', (request) => rankings.remove(request))
    .register('ranking.batch', (requests) => rankings.batch(requests))
}

export function createApiQueryBus(pool: Pool): ApiQueryBus {
  return createQueryBus<ApiQueries>()
    .register('rankings.of-user', (query) => rankingsOf(pool, query))
    .register('rankings.list', (query) => listOf(pool, query))
    .register('dishes.best', (query) => bestDishes(pool, query))
}
