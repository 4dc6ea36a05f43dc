/** Which id the registry of the day has for a schema that the log knows by another, or by the same. */
import { storedSchemas } from '@bellyfed/event-store'
import type { Queryable } from '@bellyfed/postgres'
import { type RegistryClient, schemaDefinitions, type TopicName } from '@bellyfed/schemas'

/** The topic whose subjects hold this service's records. */
const topic: TopicName = 'dish-rankings'

/** Asks the registry anew each time; the relay remembers the answers. */
export function createRegistryIds(q: Queryable, registry: Pick<RegistryClient, 'idOf'>) {
  return async (schemaId: number): Promise<number> => {
    const definition = (await storedSchemas(q, [schemaId])).get(schemaId)
    if (definition === undefined) throw new Error(`the log has events of schema ${schemaId}, but not its definition`)
    const { namespace, name } = JSON.parse(definition) as { namespace?: string; name: string }
    const record = namespace === undefined ? name : `${namespace}.${name}`
    return await registry.idOf(schemaDefinitions.subject(topic, record), definition)
  }
}
