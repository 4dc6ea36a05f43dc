/** For tools that document, measure or test the service; nothing that runs imports it. */
export { createApi } from './api.ts'
export { createApiCommandBus } from './api-buses.ts'
export type { SchemaIds } from './commands/encode-event.ts'
export { foldCommands } from './commands/fold-commands.ts'
export { load } from './commands/load-commands.ts'
export {
  commandPoolConfig,
  createRankingCommands,
  eventSource,
  type RankingCommands,
} from './commands/ranking-commands.ts'
export type { RankingRequest } from './commands/requests.ts'
export { writeMoves } from './commands/write-plans.ts'
export { relaySettings, settings } from './config.ts'
export { deploySettings } from './deploy.ts'
export { createEventLog } from './event-log.ts'
export { rankingApiMigrations, schema } from './migrations.ts'
export { createRegistryIds } from './registry-ids.ts'
export { rankingRoutes } from './routes/rankings.ts'
