/**
 * The shapes of the public contract: what requests may hold and what answers do hold. Validation, serialisation, types and
 * OpenAPI all come from here. Times are ISO 8601 in UTC, ratings decimals from 0.5 to 5 in steps of 0.01, ids UUIDs.
 */
import { type Static, type TSchema, Type } from 'typebox'

const closed = { additionalProperties: false } as const
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const Uuid = Type.String({ format: 'uuid' })
export const Time = Type.String({
  format: 'date-time',
  description: 'ISO 8601 with a zone, for example 2026-04-25T12:00:00Z',
})
const Url = Type.String({ format: 'uri', maxLength: 2048 })
const Rank = Type.Integer({ minimum: 1, maximum: 10_000, description: 'The place in the list; 1 is the best.' })
/** Unique per user for the life of the log. */
export const CommandId = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'The command id, unique per user for good. Repeating a command repeats its stored answer.',
})
/** Steps of 0.01 are checked by the domain: `multipleOf` on binary floats refuses 4.35. */
const Rating = Type.Number({ minimum: 0.5, maximum: 5, description: 'How good the dish is, in steps of 0.01.' })
const Notes = Type.String({ minLength: 1, maxLength: 2000 })

export const UserParams = Type.Object({ userId: Uuid }, closed)
export const RestaurantParams = Type.Object({ restaurantId: Uuid }, closed)
export const DishParams = Type.Object({ dishId: Uuid }, closed)
export const MenuItemParams = Type.Object({ restaurantId: Uuid, dishId: Uuid }, closed)
export const RankingParams = Type.Object({ userId: Uuid, restaurantId: Uuid, dishId: Uuid }, closed)

export const CommandHeaders = Type.Object({
  'idempotency-key': Type.Optional(CommandId),
  'if-match': Type.Optional(
    Type.String({ maxLength: 200, description: "The list's ETag; a stale one is refused with 412." }),
  ),
})
export const WriteHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ maxLength: 200 })),
  'if-none-match': Type.Optional(
    Type.String({ maxLength: 200, description: '`*` creates only, and is refused with 412 when it exists.' }),
  ),
})

const act = {
  rank: Type.Optional(Nullable(Rank)),
  rating: Type.Optional(Nullable(Rating)),
  notes: Type.Optional(Nullable(Notes)),
  photoUrl: Type.Optional(Nullable(Url)),
  rankedAt: Type.Optional(Time),
}
export const PutRankingBody = Type.Object(act, closed)
export type PutRankingBody = Static<typeof PutRankingBody>

export const Ranking = Type.Object({
  userId: Uuid,
  restaurantId: Uuid,
  dishId: Uuid,
  dishType: Type.String(),
  rank: Rank,
  rating: Nullable(Rating),
  notes: Nullable(Type.String()),
  photoUrl: Nullable(Type.String()),
  rankedAt: Time,
  updatedAt: Time,
})
export type Ranking = Static<typeof Ranking>

const ListPlace = Type.Object({ dishId: Uuid, rank: Rank, rating: Nullable(Rating) })
export const RankingList = Type.Object({
  restaurantId: Uuid,
  dishType: Type.String(),
  etag: Type.String({
    description: 'Give it as If-Match to refuse a change of a list that someone else changed meanwhile.',
  }),
  dishes: Type.Array(ListPlace),
})
const EventSummary = Type.Object({ eventId: Uuid, type: Type.String(), sequence: Type.Integer() })

export const CommandAnswer = Type.Object({
  status: Type.Union([Type.Literal('applied'), Type.Literal('unchanged'), Type.Literal('repeated')]),
  commandId: CommandId,
  ranking: Nullable(Ranking),
  list: RankingList,
  events: Type.Array(EventSummary),
  receipt: Nullable(Type.String({ description: 'Give it as ?after= to any read that must include this command.' })),
})
export type CommandAnswer = Static<typeof CommandAnswer>

const batched = {
  commandId: Uuid,
  userId: Uuid,
  restaurantId: Uuid,
  dishId: Uuid,
  ifMatch: Type.Optional(Type.String({ maxLength: 200 })),
}
export const BatchBody = Type.Object(
  {
    commands: Type.Array(
      Type.Union([
        Type.Object({ type: Type.Literal('put'), ...batched, ...act }, closed),
        Type.Object({ type: Type.Literal('delete'), ...batched, rankedAt: act.rankedAt }, closed),
      ]),
      { minItems: 1, maxItems: 500 },
    ),
  },
  closed,
)
export type BatchCommand = Static<typeof BatchBody>['commands'][number]
