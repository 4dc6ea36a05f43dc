/** The columns of one batch, filled in one pass over its events, without an object for each row. */
import { arrayOf, binaryArray } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'

/** Parameters of `insert-history.sql`, one array a column, in its order. */
export function insertParameters(events: readonly DecodedEvent[]): Buffer[] {
  const columns = emptyColumns(events.length)
  for (const { type, event } of events) {
    columns.userId.add(event.userId)
    columns.sequence.add(event.sequence)
    columns.eventId.add(event.eventId)
    columns.type.add(type)
    columns.cause.add(event.cause)
    columns.dishId.add(event.dishId)
    columns.dishName.add(event.dishName)
    columns.dishType.add(event.dishType)
    columns.restaurantId.add(event.restaurantId)
    columns.restaurantName.add(event.restaurantName)
    columns.oldRank.add(event.oldRank)
    columns.newRank.add(event.newRank)
    columns.oldRatingHundredths.add(event.oldRatingHundredths)
    columns.newRatingHundredths.add(event.newRatingHundredths)
    columns.occurredAt.add(event.occurredAtMs)
    columns.acceptedAt.add(event.acceptedAtMs)
    columns.commandId.add(event.commandId)
  }
  return Object.values(columns).map((column) => column.finish())
}

/** In the order of the statement's parameters. */
function emptyColumns(rowCount: number) {
  return {
    userId: binaryArray.uuid(rowCount),
    sequence: binaryArray.bigint(rowCount),
    eventId: binaryArray.uuid(rowCount),
    type: binaryArray.text(rowCount),
    cause: binaryArray.text(rowCount),
    dishId: binaryArray.uuid(rowCount),
    dishName: binaryArray.text(rowCount),
    dishType: binaryArray.text(rowCount),
    restaurantId: binaryArray.uuid(rowCount),
    restaurantName: binaryArray.text(rowCount),
    oldRank: binaryArray.integer(rowCount),
    newRank: binaryArray.integer(rowCount),
    oldRatingHundredths: binaryArray.smallint(rowCount),
    newRatingHundredths: binaryArray.smallint(rowCount),
    occurredAt: binaryArray.timestampMs(rowCount),
    acceptedAt: binaryArray.timestampMs(rowCount),
    commandId: binaryArray.text(rowCount),
  }
}

/** Parameters of `select-contradictions.sql`: asked rarely, so in the plain form. */
export function identityParameters(events: readonly DecodedEvent[]): string[] {
  return [
    arrayOf.uuid(events.map(({ event }) => event.userId)),
    arrayOf.bigint(events.map(({ event }) => event.sequence)),
    arrayOf.uuid(events.map(({ event }) => event.eventId)),
  ]
}
