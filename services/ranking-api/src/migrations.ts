import { eventStoreMigrations } from '@bellyfed/event-store'
import { type Migration, readMigrations } from '@bellyfed/postgres'

/** The schema of the database, and the role, that this service has. */
export const schema = 'ranking_api'

/** Everything in this service's schema: the event store first, because the service's own tables stand beside it. */
export const migrations: readonly Migration[] = [
  ...eventStoreMigrations,
  ...readMigrations('ranking-api', import.meta.url, '../migrations'),
]
