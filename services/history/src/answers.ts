/** What the read API answers: schemas, and the mapping from rows to them. Ratings are decimals here, times ISO texts. */
import { nullable, Timestamp, Uuid } from '@bellyfed/http'
import { Type } from 'typebox'
import type { List } from './domain/lists.ts'
import { decimalOf } from './domain/rating.ts'
import type { Change, ListsAsOf, StandingRow } from './history-reads.ts'

const Rank = nullable(Type.Integer({ minimum: 1, description: 'Place in the list; null where there is none' }))
const Rating = nullable(Type.Number({ minimum: 0.5, maximum: 5, description: 'Null where unrated' }))
const Version = Type.Integer({ minimum: 1, description: "Version that the event gave the user's stream" })

const changeMembers = {
  eventId: Uuid,
  type: Type.String({ description: 'Name of the event' }),
  userId: Uuid,
  version: Version,
  cause: Type.String({ description: 'ranked, confirmed, shifted or withdrawn' }),
  dishId: Uuid,
  dishName: Type.String(),
  dishType: Type.String(),
  restaurantId: Uuid,
  restaurantName: Type.String(),
  oldRank: Rank,
  newRank: Rank,
  oldRating: Rating,
  newRating: Rating,
  occurredAt: Type.String({ format: 'date-time', description: 'When it happened, as the client said' }),
  acceptedAt: Type.String({ format: 'date-time', description: 'When the platform accepted it' }),
}

const NextCursor = nullable(Type.String({ description: 'Cursor of the next page; null on the last' }))

export const UserHistoryPage = Type.Object({
  changes: Type.Array(
    Type.Object({
      ...changeMembers,
      commandId: nullable(Type.String({ description: 'Idempotency key of the command that caused it' })),
    }),
  ),
  nextCursor: NextCursor,
})

/** Without command ids: they are between a user and the platform. */
export const DishHistoryPage = Type.Object({ changes: Type.Array(Type.Object(changeMembers)), nextCursor: NextCursor })

export const ListsAnswer = Type.Object({
  asOf: nullable(Type.String({ format: 'date-time', description: 'The time asked for; null for now' })),
  version: Type.Integer({ minimum: 0, description: "The version of the user's stream that these lists include" }),
  lists: Type.Array(
    Type.Object({
      restaurantId: Uuid,
      restaurantName: Type.String(),
      dishType: Type.String(),
      dishes: Type.Array(
        Type.Object({
          rank: Type.Integer({ minimum: 1 }),
          dishId: Uuid,
          dishName: Type.String(),
          rating: Rating,
          eventId: Uuid,
          version: Version,
          cause: Type.String({ description: 'Why the dish stands here: the cause of its last change' }),
          occurredAt: Timestamp,
          acceptedAt: Timestamp,
        }),
      ),
    }),
  ),
})

/** A change as it is sent. */
export function changeAnswer({ oldRatingHundredths, newRatingHundredths, occurredAt, acceptedAt, ...change }: Change) {
  return {
    ...change,
    oldRating: decimalOf(oldRatingHundredths),
    newRating: decimalOf(newRatingHundredths),
    occurredAt: occurredAt.toISOString(),
    acceptedAt: acceptedAt.toISOString(),
  }
}

/** Lists as they are sent. */
export function listsAnswer({ version, lists }: ListsAsOf, asOf: Date | undefined) {
  return { asOf: asOf?.toISOString() ?? null, version, lists: lists.map(listAnswer) }
}

function listAnswer({ dishes, ...list }: List<StandingRow>) {
  return {
    ...list,
    dishes: dishes.map(
      ({ rank, dishId, dishName, ratingHundredths, eventId, version, cause, occurredAt, acceptedAt }) => ({
        rank,
        dishId,
        dishName,
        rating: decimalOf(ratingHundredths),
        eventId,
        version,
        cause,
        occurredAt: occurredAt.toISOString(),
        acceptedAt: acceptedAt.toISOString(),
      }),
    ),
  }
}
