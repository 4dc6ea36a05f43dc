import { type Migration, readMigrations } from '@bellyfed/postgres'

/** The tables of the event store, to be applied in the service's own schema before the service's own migrations. */
export const eventStoreMigrations: readonly Migration[] = readMigrations(
  'event-store',
  import.meta.url,
  '../migrations',
)
