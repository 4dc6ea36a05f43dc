/** The public API: all routes over one HTTP server. */
import { createHttpServer, type HttpServer } from '@bellyfed/http'
import { isTransient, type Pool } from '@bellyfed/postgres'
import type { ConfigOf, Logger, Metrics } from '@bellyfed/process'
import { createApiCommandBus, createApiQueryBus } from './api-buses.ts'
import { dishRoutes, menuRoutes, restaurantRoutes, userRoutes } from './catalogue/routes.ts'
import type { RankingCommands } from './commands/ranking-commands.ts'
import type { settings } from './config.ts'
import { historyGateway } from './routes/gateway.ts'
import { rankingRoutes } from './routes/rankings.ts'
import { readRoutes } from './routes/reads.ts'

export interface ApiParts {
  readonly config: Pick<ConfigOf<typeof settings>, 'http' | 'auth' | 'history' | 'requestsPerMinuteMax'>
  readonly pool: Pool
  readonly rankings: Pick<RankingCommands, 'put' | 'remove' | 'batch'>
  readonly log: Logger
  readonly metrics: Metrics
}

export function createApi({ config, pool, rankings, log, metrics }: ApiParts): HttpServer {
  return createHttpServer({
    host: config.http.host,
    port: config.http.port,
    auth: config.auth,
    log,
    metrics,
    isUnavailable: isTransient,
    openapi: { title: 'Bellyfed rankings', version: '1' },
    rateLimit: { windowMs: 60_000, requestsMax: { user: config.requestsPerMinuteMax, anonymous: 120 } },
    routes: [
      userRoutes(pool),
      restaurantRoutes(pool),
      dishRoutes(pool),
      menuRoutes(pool),
      rankingRoutes(createApiCommandBus(rankings)),
      readRoutes(createApiQueryBus(pool)),
      historyGateway({ name: 'history', ...config.history }, metrics),
    ],
  })
}
