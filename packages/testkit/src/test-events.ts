/** The registry for tests: a codec that knows every schema, and events as the relay would write them to Kafka. */
import {
  type Codec,
  createCodec,
  type DecodedEvent,
  dictionary,
  type ReleasedEventType as EventType,
  registryClient,
} from '@bellyfed/schemas'
import type { RecordToSend } from '@bellyfed/stream'

export interface RecordFacts {
  /** Position headers: source `ranking-api`, epoch 1 unless given; `xid` is `position` unless given. */
  position: bigint
  xid?: bigint
  epoch?: bigint
  source?: string
  /** Marks the record as republished. */
  republished?: boolean
}

export interface TestEvents {
  readonly registryUrl: string
  readonly codec: Codec
  /** The id that the registry gave to the latest schema of an event type. */
  schemaId(type: EventType): number
  /** Kafka value: wire format with the registry's id. */
  encode(decoded: DecodedEvent): Buffer
  /** The record that the relay writes for an event: key, headers, timestamp. */
  record(decoded: DecodedEvent, facts: RecordFacts): RecordToSend
}

/** Asks the registry for the id of each schema that a producer may use, and prepares a codec for all of them. */
export async function createTestEvents(registryUrl: string): Promise<TestEvents> {
  const registry = registryClient(registryUrl)
  const codec = createCodec({ writerSchema: (id) => registry.schemaOf(id), payloadBytesMax: 1024 * 1024 })
  const ids = new Map<EventType, number>()
  await Promise.all(
    dictionary
      .filter((definition) => definition.isReleased)
      .map(async (definition) =>
        ids.set(definition.type, await registry.idOf(definition.subject, definition.schemaJson)),
      ),
  )
  await codec.prepare(ids.values())
  const schemaId = (type: EventType) => {
    const id = ids.get(type)
    if (id === undefined) throw new Error(`${type} has no registered schema`)
    return id
  }
  const encode = (decoded: DecodedEvent) => codec.encode(decoded.type, decoded.event, schemaId(decoded.type))
  return { registryUrl, codec, schemaId, encode, record: (decoded, facts) => toRecord(decoded, encode(decoded), facts) }
}

function toRecord({ type, event }: DecodedEvent, value: Buffer, facts: RecordFacts): RecordToSend {
  const { position, xid = position, epoch = 1n, source = 'ranking-api', republished = false } = facts
  return {
    key: event.userId,
    value,
    headers: {
      'event-type': type,
      'event-id': event.eventId,
      position: `${source}/${epoch}/${xid}/${position}`,
      ...(republished ? { republished: '1' } : {}),
    },
    timestampMs: event.acceptedAtMs,
  }
}
