/** Schemas by event: which record carries it, what its Avro schema is, and under which subjects it is registered. */
import { dictionary } from './dictionary.ts'
import type { EventType } from './generated/events.ts'
import { schemasByRecord } from './generated/schemas.ts'
import type { TopicName } from './generated/topics.ts'

export interface SchemaDefinitions {
  /** Full name of the record that carries an event. */
  recordFor(type: EventType): string
  /** The current Avro schema of a record, as registered. @throws Error when there is no such record. */
  schemaJson(record: string): string
  /** The registry's subject: several records share a topic, so the topic's name alone would not do. */
  subject(topic: TopicName, record: string): string
}

const recordsByType = new Map<string, string>(dictionary.map((event) => [event.name, event.record]))

export const schemaDefinitions: SchemaDefinitions = {
  recordFor(type) {
    const record = recordsByType.get(type)
    if (record === undefined) throw new Error(`There is no event ${type}`)
    return record
  },
  schemaJson(record) {
    const schema = schemasByRecord[record]
    if (schema === undefined) throw new Error(`There is no record ${record}`)
    return schema
  },
  subject: (topic, record) => `${topic}-${record}`,
}
