import type { PlacedEvent } from '@bellyfed/event-store'
import type {
  Codec,
  DishRanked,
  DishRankingRemoved,
  DishRankingUpdated,
  EventId,
  RestaurantId,
  TopicName,
} from '@bellyfed/schemas'
import type { RankingEvent } from '../domain/ranking-event.ts'
import type { RankingRequest } from './requests.ts'

const topic: TopicName = 'dish-rankings'

/** The schema id that the registry has for each event's record, learned at start. */
export type SchemaIds = Readonly<Record<RankingEvent['type'], number>>

export interface EventEncoding {
  readonly codec: Pick<Codec, 'encode'>
  readonly schemaIds: SchemaIds
}

/** What an event's bytes need besides the event. */
export interface EventContext {
  readonly eventId: EventId
  readonly request: RankingRequest
  /** Seals personal text with the user's key. */
  readonly seal: (text: string) => Buffer
}

/** A ranking event as a row of the event store. @throws TypeError when a value does not fit the schema. */
export function encodeEvent(event: RankingEvent, context: EventContext, encoding: EventEncoding): PlacedEvent {
  const { eventId, request } = context
  const { userId, commandId } = request
  const schemaId = encoding.schemaIds[event.type]
  return {
    eventId,
    stream: userId,
    version: event.sequence,
    type: event.type,
    topic,
    key: userId,
    userId,
    sessionId: request.sessionId ?? null,
    correlationId: request.correlationId ?? null,
    causationId: null,
    commandId,
    occurredAtMs: event.occurredAtMs,
    acceptedAtMs: event.acceptedAtMs,
    schemaId,
    payload: encoding.codec.encode(event.type, recordOf(event, context), schemaId),
    metadata: request.traceparent === undefined ? null : { traceparent: request.traceparent },
  }
}

function recordOf(event: RankingEvent, context: EventContext): DishRanked & DishRankingUpdated & DishRankingRemoved {
  const { dish, restaurant } = event
  const { eventId, request, seal } = context
  return {
    eventId,
    userId: request.userId,
    sequence: event.sequence,
    occurredAtMs: event.occurredAtMs,
    acceptedAtMs: event.acceptedAtMs,
    sessionId: request.sessionId ?? null,
    correlationId: request.correlationId ?? null,
    causationId: null,
    commandId: request.commandId,
    // All from the database or the validated request, where they are UUIDs.
    dishId: dish.dishId as typeof request.dishId,
    dishName: dish.name,
    dishVersion: dish.version,
    dishType: dish.dishType,
    restaurantId: restaurant.restaurantId as RestaurantId,
    restaurantName: restaurant.name,
    restaurantVersion: restaurant.version,
    city: restaurant.city,
    country: restaurant.country,
    cuisineTypes: restaurant.cuisineTypes,
    cause: event.cause,
    oldRank: event.oldRank,
    newRank: event.newRank,
    oldRatingHundredths: event.oldRatingHundredths,
    newRatingHundredths: event.newRatingHundredths,
    notesSealed: event.notes === null ? null : seal(event.notes),
    photoUrlSealed: event.photoUrl === null ? null : seal(event.photoUrl),
  }
}
