/** The columns of one batch: built from the events column by column, without an object for each row. */
import { arrayOf } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'

/** Parameters of `insert-history.sql`, one array literal a column, in its order. */
export function insertParameters(events: readonly DecodedEvent[]): string[] {
  return [
    arrayOf.uuid(events.map(({ event }) => event.userId)),
    arrayOf.bigint(events.map(({ event }) => event.sequence)),
    arrayOf.uuid(events.map(({ event }) => event.eventId)),
    arrayOf.text(events.map(({ type }) => type)),
    arrayOf.text(events.map(({ event }) => event.cause)),
    arrayOf.uuid(events.map(({ event }) => event.dishId)),
    arrayOf.text(events.map(({ event }) => event.dishName)),
    arrayOf.text(events.map(({ event }) => event.dishType)),
    arrayOf.uuid(events.map(({ event }) => event.restaurantId)),
    arrayOf.text(events.map(({ event }) => event.restaurantName)),
    arrayOf.integer(events.map(({ event }) => event.oldRank)),
    arrayOf.integer(events.map(({ event }) => event.newRank)),
    arrayOf.integer(events.map(({ event }) => event.oldRatingHundredths)),
    arrayOf.integer(events.map(({ event }) => event.newRatingHundredths)),
    arrayOf.timestampMs(events.map(({ event }) => event.occurredAtMs)),
    arrayOf.timestampMs(events.map(({ event }) => event.acceptedAtMs)),
    arrayOf.text(events.map(({ event }) => event.commandId)),
  ]
}

/** Parameters of `select-contradictions.sql`. */
export function identityParameters(events: readonly DecodedEvent[]): string[] {
  return [
    arrayOf.uuid(events.map(({ event }) => event.userId)),
    arrayOf.bigint(events.map(({ event }) => event.sequence)),
    arrayOf.uuid(events.map(({ event }) => event.eventId)),
  ]
}
