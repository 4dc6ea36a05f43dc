import { type Migration, readMigrations } from '@bellyfed/postgres'
import { streamMigrations } from '@bellyfed/stream'

/** The service's schema, and the name of its role. */
export const schema = 'history'

/** Everything in the schema: the consumer's tables and the service's own. */
export const historyMigrations: readonly Migration[] = [
  ...streamMigrations,
  ...readMigrations('history', import.meta.url, '../migrations'),
]
