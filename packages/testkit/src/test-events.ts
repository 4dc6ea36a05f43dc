/** The registry for tests: a codec that knows every schema, and events as the relay would write them to Kafka. */
import {
  type Codec,
  createCodec,
  type DecodedEvent,
  type ReleasedEventType,
  registryClient,
  releasedSubjects,
  schemaDefinitions,
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
  schemaId(type: ReleasedEventType): number
  /** Kafka value: wire format with the registry's id. */
  encode(decoded: DecodedEvent): Buffer
  /** The record that the relay writes for an event: key, headers, timestamp. */
  record(decoded: DecodedEvent, facts: RecordFacts): RecordToSend
}

/** Asks the registry for the id of each released schema, and prepares a codec for all of them. */
export async function createTestEvents(registryUrl: string): Promise<TestEvents> {
  const registry = registryClient(registryUrl)
  const codec = createCodec({ writerSchema: (id) => registry.schemaOf(id) })
  const entries = releasedSubjects.map(
    async ({ subject, record, schemaJson }) => [record, await registry.idOf(subject, schemaJson)] as const,
  )
  const ids = new Map(await Promise.all(entries))
  await codec.prepare(ids.values())
  const schemaId = (type: ReleasedEventType) => {
    const id = ids.get(schemaDefinitions.recordFor(type))
    if (id === undefined) throw new Error(`${type} has no registered schema`)
    return id
  }
  const encode = ({ type, event }: DecodedEvent) => codec.encode(type, event, schemaId(type))
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
