/**
 * Reads the hand-written sources: `avro/<topic>.avsc` (the records of the events of one topic), `avro/fragments.avsc`
 * (fields that many records share) and `topics.json`.
 *
 * The sources are Avro with three additions, which composing removes again:
 * - `{"splice": "Envelope", "without": [...]}` in a list of fields stands for the fields of that fragment;
 * - `brand` on a field names the TypeScript type of an id;
 * - `event` on a record says which event the record carries, and how the platform treats it.
 */
import { readFileSync } from 'node:fs'

export const namespace = 'bellyfed.rankings'

export type AvroType = string | readonly AvroType[] | AvroComplexType
export interface AvroComplexType {
  readonly type: string
  readonly name?: string
  readonly symbols?: readonly string[]
  readonly default?: unknown
  readonly items?: AvroType
  readonly logicalType?: string
}
export interface Field {
  readonly name: string
  readonly type: AvroType
  readonly default?: unknown
  readonly brand?: string
  readonly doc: string
}
export interface Splice {
  readonly splice: string
  readonly without?: readonly string[]
}
export interface Fragment {
  readonly name: string
  readonly doc: string
  readonly fields: readonly Field[]
}
interface EventSource {
  readonly name: string
  readonly aliases: readonly string[]
  readonly inverse?: string
  /** An application may emit it through POST /v1/activities. */
  readonly application?: boolean
  /** Its schema is part of the contract: registered, and kept compatible with its golden bytes. */
  readonly released?: boolean
  /** Further topics that carry a copy of the event. */
  readonly copies?: readonly string[]
}
interface RecordSource {
  readonly name: string
  readonly doc: string
  readonly event: EventSource
  readonly fields: readonly (Field | Splice)[]
}
export interface TopicSource {
  readonly doc: string
  readonly key: string
  readonly partitions: number
  readonly retentionMs: number
  readonly cleanupPolicy: string
  readonly compressionType: string
  readonly maxMessageBytes: number
  readonly producer: string
  readonly consumers: readonly string[]
}

/** One event with its composed record. */
export interface ComposedEvent extends EventSource {
  readonly topic: string
  readonly record: string
  readonly doc: string
  readonly fields: readonly Field[]
  /** The fields as written, with fragments not yet put in. */
  readonly written: readonly (Field | Splice)[]
  /** Names of the fields that every event of the topic has; the others are the context of the event. */
  readonly envelope: ReadonlySet<string>
  /** The Avro schema as registered. */
  readonly schema: AvroRecord
}
export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly namespace: string
  readonly doc: string
  readonly fields: readonly Omit<Field, 'brand'>[]
}
export interface Sources {
  readonly topics: Readonly<Record<string, TopicSource>>
  readonly fragments: readonly Fragment[]
  readonly events: readonly ComposedEvent[]
}

/** Root of the package, where the sources lie and EVENTS.md and golden/ are written. */
export const packageRoot = new URL('../../', import.meta.url)

export function readSources(): Sources {
  const topics = readJson<Record<string, TopicSource>>('topics.json')
  const fragments = new Map(readJson<readonly Fragment[]>('avro/fragments.avsc').map((one) => [one.name, one]))
  const events = Object.keys(topics).flatMap((topic) =>
    readJson<readonly RecordSource[]>(`avro/${topic}.avsc`).map((record) => compose(topic, record, fragments)),
  )
  return { topics, fragments: [...fragments.values()], events }
}

function compose(topic: string, record: RecordSource, fragments: ReadonlyMap<string, Fragment>): ComposedEvent {
  const fields = record.fields.flatMap((field) => ('splice' in field ? splice(record.name, field, fragments) : [field]))
  const repeated = fields.find((field, index) => fields.findIndex((other) => other.name === field.name) !== index)
  if (repeated) throw new Error(`${record.name}: field ${repeated.name} occurs twice`)
  const schema: AvroRecord = {
    type: 'record',
    name: record.name,
    namespace,
    doc: record.doc,
    fields: fields.map(({ brand: _, ...field }) => field),
  }
  const envelope = new Set(fragments.get('Envelope')?.fields.map((field) => field.name))
  return {
    ...record.event,
    topic,
    record: `${namespace}.${record.name}`,
    doc: record.doc,
    fields,
    written: record.fields,
    envelope,
    schema,
  }
}

function splice(record: string, { splice, without = [] }: Splice, fragments: ReadonlyMap<string, Fragment>) {
  const fragment = fragments.get(splice)
  if (!fragment) throw new Error(`${record}: there is no fragment ${splice} in avro/fragments.avsc`)
  return fragment.fields.filter((field) => !without.includes(field.name))
}

function readJson<T>(path: string): T {
  const text = readFileSync(new URL(path, packageRoot), 'utf8')
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new Error(`schemas/${path} is not JSON`, { cause: error })
  }
}
