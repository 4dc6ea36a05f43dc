/** The columns of one batch: built from the events column by column, without an object for each row. */
import { binaryArrayOf } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'

/** Parameters of `insert-history.sql`, one array a column, in its order. */
export function insertParameters(events: readonly DecodedEvent[]): Buffer[] {
  return [
    binaryArrayOf.uuid(events.map(({ event }) => event.userId)),
    binaryArrayOf.bigint(events.map(({ event }) => event.sequence)),
    binaryArrayOf.uuid(events.map(({ event }) => event.eventId)),
    binaryArrayOf.text(events.map(({ type }) => type)),
    binaryArrayOf.text(events.map(({ event }) => event.cause)),
    binaryArrayOf.uuid(events.map(({ event }) => event.dishId)),
    binaryArrayOf.text(events.map(({ event }) => event.dishName)),
    binaryArrayOf.text(events.map(({ event }) => event.dishType)),
    binaryArrayOf.uuid(events.map(({ event }) => event.restaurantId)),
    binaryArrayOf.text(events.map(({ event }) => event.restaurantName)),
    binaryArrayOf.integer(events.map(({ event }) => event.oldRank)),
    binaryArrayOf.integer(events.map(({ event }) => event.newRank)),
    binaryArrayOf.smallint(events.map(({ event }) => event.oldRatingHundredths)),
    binaryArrayOf.smallint(events.map(({ event }) => event.newRatingHundredths)),
    binaryArrayOf.timestampMs(events.map(({ event }) => event.occurredAtMs)),
    binaryArrayOf.timestampMs(events.map(({ event }) => event.acceptedAtMs)),
    binaryArrayOf.text(events.map(({ event }) => event.commandId)),
  ]
}

/** Parameters of `select-contradictions.sql`. */
export function identityParameters(events: readonly DecodedEvent[]): Buffer[] {
  return [
    binaryArrayOf.uuid(events.map(({ event }) => event.userId)),
    binaryArrayOf.bigint(events.map(({ event }) => event.sequence)),
    binaryArrayOf.uuid(events.map(({ event }) => event.eventId)),
  ]
}
