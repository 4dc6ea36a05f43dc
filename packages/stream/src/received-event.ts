import type { DecodedEvent } from '@bellyfed/schemas'
import type { EventPosition } from './event-position.ts'
import type { LogRecord } from './ports.ts'

/** An event as a projection gets it. */
export interface ReceivedEvent {
  readonly decoded: DecodedEvent
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** The event's place in its source's log; absent on records that no relay of ours has published. */
  readonly position: EventPosition | undefined
  /** The record's timestamp: for our events, their acceptance. */
  readonly timestampMs: number
}

/** A record that will never become an event, with the reason. */
export interface DeadRecord {
  readonly record: LogRecord
  readonly position: EventPosition | undefined
  readonly failure: Failure
}

/** Why a record is dead: class and code for counting and alerts, the message for people. */
export interface Failure {
  readonly errorClass: string
  readonly code: string
  readonly message: string
}
