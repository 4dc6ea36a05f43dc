import { readMigrations } from '@bellyfed/postgres'

/** Tables of a consuming service: positions, marks and dead letters, in the service's own schema. */
export const streamMigrations = readMigrations('stream', import.meta.url, '../migrations')
