/** Registers every released schema under the subject of each topic that carries it. A deploy step, never a producer's. */
import { dictionary } from './dictionary.ts'
import type { TopicName } from './generated/topics.ts'
import { type RegistryClient, SchemaNotRegistered } from './registry.ts'
import { schemaDefinitions } from './schema-definitions.ts'

export interface SubjectSchema {
  readonly subject: string
  readonly topic: TopicName
  readonly record: string
  readonly schemaJson: string
}

export interface RegisteredSubject {
  readonly subject: string
  /** Undefined when the schema is not registered and was only looked for. */
  readonly id: number | undefined
}

/** The subjects of all released schemas. */
export const releasedSubjects: readonly SubjectSchema[] = dictionary
  .filter((event) => event.isReleased)
  .flatMap(({ record, topic, copies }) =>
    [topic, ...copies].map((carrier) => ({
      subject: schemaDefinitions.subject(carrier, record),
      topic: carrier,
      record,
      schemaJson: schemaDefinitions.schemaJson(record),
    })),
  )

/**
 * Registers what is missing; running it again, or twice at once, changes nothing. With `check` it only looks.
 * @throws IncompatibleSchema when a schema cannot live with its earlier versions.
 */
export function registerSchemas(
  registry: RegistryClient,
  { check = false }: { check?: boolean } = {},
): Promise<readonly RegisteredSubject[]> {
  return Promise.all(
    releasedSubjects.map(async ({ subject, schemaJson }) => ({
      subject,
      id: check ? await registeredId(registry, subject, schemaJson) : await registry.register(subject, schemaJson),
    })),
  )
}

async function registeredId(registry: RegistryClient, subject: string, schemaJson: string) {
  try {
    return await registry.idOf(subject, schemaJson)
  } catch (error) {
    if (error instanceof SchemaNotRegistered) return undefined
    throw error
  }
}
