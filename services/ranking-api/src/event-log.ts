/**
 * What must hold before the first event is appended: the database is at this code's migrations, its cluster is not behind
 * the log (a log from another cluster would be published in disorder), and the schemas that events are written with are
 * kept beside them.
 *
 * Their ids come from the log itself once it knows them, so only the very first start after a new schema asks the registry;
 * afterwards rankings are accepted while the registry is away.
 */
import { allStoredSchemas, assertClusterNotBehind, keepSchemas } from '@bellyfed/event-store'
import { assertMigrated, type Pool } from '@bellyfed/postgres'
import type { Part } from '@bellyfed/process'
import { type RegistryClient, schemaDefinitions } from '@bellyfed/schemas'
import type { SchemaIds } from './commands/encode-event.ts'
import { rankingApiMigrations } from './migrations.ts'

const topic = 'dish-rankings'
const types = ['DISH_RANKED', 'DISH_RANKING_UPDATED', 'DISH_RANKING_REMOVED'] as const

export interface EventLog extends Part {
  /** The ids that payloads are written with; filled by the start. */
  readonly schemaIds: SchemaIds
}

export function createEventLog(pool: Pool, registry: Pick<RegistryClient, 'idOf'>): EventLog {
  const schemaIds: Record<keyof SchemaIds, number> = {
    DISH_RANKED: 0,
    DISH_RANKING_UPDATED: 0,
    DISH_RANKING_REMOVED: 0,
  }
  return {
    name: 'event log',
    schemaIds,
    async start() {
      await assertMigrated(pool, rankingApiMigrations)
      await assertClusterNotBehind(pool)
      Object.assign(schemaIds, await learnSchemaIds(pool, registry))
    },
    stop: () => Promise.resolve(),
  }
}

async function learnSchemaIds(pool: Pool, registry: Pick<RegistryClient, 'idOf'>): Promise<Partial<SchemaIds>> {
  const stored = new Map((await allStoredSchemas(pool)).map(({ schemaId, definition }) => [definition, schemaId]))
  const ids = await Promise.all(
    types.map(async (type) => {
      const record = schemaDefinitions.recordFor(type)
      const definition = schemaDefinitions.schemaJson(record)
      const known = stored.get(definition)
      if (known !== undefined) return [type, known] as const
      const schemaId = await registry.idOf(schemaDefinitions.subject(topic, record), definition)
      const kept = await keepSchemas(pool, [{ schemaId, definition }])
      return [type, kept.get(schemaId) ?? schemaId] as const
    }),
  )
  return Object.fromEntries(ids)
}
