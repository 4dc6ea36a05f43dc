/** For tools that document, measure or test the service; nothing that runs imports it. */
export { createApi } from './api.ts'
export { createRankingCommands, eventSource, type RankingCommands } from './commands/ranking-commands.ts'
export { relaySettings, settings } from './config.ts'
export { deploy, deploySettings } from './deploy.ts'
export { createEventLog } from './event-log.ts'
export { rankingApiMigrations, schema } from './migrations.ts'
export { createRegistryIds } from './registry-ids.ts'
