/** The event dictionary: every event of the platform under its one name, and every other name that it answers to. */
import { dictionary } from './generated/dictionary.ts'
import type { EventType } from './generated/events.ts'
import type { TopicName } from './generated/topics.ts'

export { dictionary }

export interface ContextField {
  readonly name: string
  /** Avro's type in words: `uuid`, `string or null`, `array of string`. */
  readonly type: string
  readonly doc: string
}

export interface EventDefinition {
  readonly name: EventType
  /** Other names of the same event: the other style of its own name, and the names of the source documents. */
  readonly aliases: readonly string[]
  readonly doc: string
  readonly topic: TopicName
  /** Further topics that carry the event too. */
  readonly copies: readonly TopicName[]
  /** What the record's key is. */
  readonly key: string
  /** Full name of the Avro record. */
  readonly record: string
  /** Fields besides the envelope. */
  readonly context: readonly ContextField[]
  readonly producer: string
  readonly consumers: readonly string[]
  /** The event that takes this one back, if there is one. */
  readonly inverse: EventType | null
  /** An application may emit it; other events are only ever the platform's own. */
  readonly isApplicationEmitted: boolean
  /** The schema is released: registered, kept compatible, encoded and decoded. The others may still change freely. */
  readonly isReleased: boolean
}

const definitions = new Map(
  dictionary.flatMap((event) => [event.name, ...event.aliases].map((name) => [name, event] as const)),
)

/** The event with this name or alias; undefined when no event is called so. */
export function eventByName(nameOrAlias: string): EventDefinition | undefined {
  return definitions.get(nameOrAlias)
}
