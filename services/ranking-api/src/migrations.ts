import { eventStoreMigrations } from '@bellyfed/event-store'
import { type Migration, readMigrations } from '@bellyfed/postgres'

/** The service's schema, and the name of its role. */
export const schema = 'ranking_api'

/** Everything in the schema: the event store's tables and the service's own. */
export const rankingApiMigrations: readonly Migration[] = [
  ...eventStoreMigrations,
  ...readMigrations('ranking-api', import.meta.url, '../migrations'),
]
