import type { EventType } from '@bellyfed/schemas'

/** An event that a service wants to append. Times are epoch milliseconds. */
export interface NewEvent {
  readonly eventId: string
  readonly type: EventType
  /** Logical topic; the relay adds the environment's prefix. */
  readonly topic: string
  /** Kafka's record key: decides the partition, and with it what is kept in order. */
  readonly key: string
  readonly userId: string | null
  readonly sessionId: string | null
  readonly correlationId: string | null
  readonly causationId: string | null
  readonly commandId: string | null
  readonly occurredAtMs: number
  readonly acceptedAtMs: number
  /** The id that stands in the payload's header. */
  readonly schemaId: number
  /** Avro in wire format: a zero byte, the schema id in four bytes, the record. */
  readonly payload: Buffer
  /** Anything else worth keeping; `traceparent` becomes a record header. */
  readonly metadata: object | null
}

/** An event at its place in a stream. */
export interface PlacedEvent extends NewEvent {
  readonly stream: string
  readonly version: number
}

/** Where an event stands in its source's order of publication. Positions of two sources or epochs never compare. */
export interface Position {
  readonly xid: bigint
  readonly position: bigint
}

/** An event as the store has it. */
export interface StoredEvent extends PlacedEvent, Position {}

/** A stream was not at the version that the writer had decided on. Load it anew and decide again. */
export class ConcurrencyError extends Error {
  readonly stream: string
  readonly expectedVersion: number
  /** What the stream had reached when it was looked at after the conflict; 0 when it does not exist. */
  readonly actualVersion: number

  constructor(stream: string, expectedVersion: number, actualVersion: number) {
    super(`stream ${stream} is at version ${actualVersion}, not ${expectedVersion}`)
    this.name = 'ConcurrencyError'
    this.stream = stream
    this.expectedVersion = expectedVersion
    this.actualVersion = actualVersion
  }
}
