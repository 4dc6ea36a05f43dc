/**
 * The shapes of the public contract: what requests may hold and what answers do hold. Validation, serialisation, types and
 * OpenAPI all come from here. Times are ISO 8601 in UTC, ratings decimals from 0.5 to 5 in steps of 0.01, ids UUIDs.
 */
import { CursorParameter, nullable, Timestamp, Uuid } from '@bellyfed/http'
import type { DishId, RestaurantId, UserId } from '@bellyfed/schemas'
import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const
const UserIdText = Type.Unsafe<UserId>(Uuid)
const RestaurantIdText = Type.Unsafe<RestaurantId>(Uuid)
const DishIdText = Type.Unsafe<DishId>(Uuid)
const Url = Type.String({ format: 'uri', maxLength: 2048 })
const Rank = Type.Integer({ minimum: 1, maximum: 10_000, description: 'The place in the list; 1 is the best.' })
/** Unique per user for the life of the log. */
export const CommandId = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'The command id, unique per user for good. Repeating a command repeats its stored answer.',
})
const Rating = Type.Number({
  minimum: 0.5,
  maximum: 5,
  multipleOf: 0.01,
  description: 'How good the dish is, in steps of 0.01.',
})
const Notes = Type.String({ minLength: 1, maxLength: 2000 })

export const UserParams = Type.Object({ userId: UserIdText }, closed)
export const RestaurantParams = Type.Object({ restaurantId: RestaurantIdText }, closed)
export const DishParams = Type.Object({ dishId: DishIdText }, closed)
export const MenuItemParams = Type.Object({ restaurantId: RestaurantIdText, dishId: DishIdText }, closed)
export const RankingParams = Type.Object(
  { userId: UserIdText, restaurantId: RestaurantIdText, dishId: DishIdText },
  closed,
)

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
  rank: Type.Optional(Rank),
  rating: Type.Optional(nullable(Rating)),
  notes: Type.Optional(nullable(Notes)),
  photoUrl: Type.Optional(nullable(Url)),
  rankedAt: Type.Optional(Timestamp),
}
export const PutRankingBody = Type.Object(act, closed)
export type PutRankingBody = Static<typeof PutRankingBody>

export const Ranking = Type.Object({
  userId: Uuid,
  restaurantId: Uuid,
  dishId: Uuid,
  dishType: Type.String(),
  rank: Rank,
  rating: nullable(Rating),
  notes: nullable(Type.String()),
  photoUrl: nullable(Type.String()),
  rankedAt: Timestamp,
  updatedAt: Timestamp,
})
export type Ranking = Static<typeof Ranking>

const EventSummary = Type.Object({
  eventId: Uuid,
  type: Type.String(),
  sequence: Type.Integer({ description: "Position in the user's stream: 1, 2, 3 …, without a gap." }),
  cause: Type.String({ description: 'ranked, confirmed, shifted or withdrawn' }),
  dishId: Uuid,
  oldRank: nullable(Rank),
  newRank: nullable(Rank),
})

export const CommandAnswer = Type.Object({
  status: Type.String({ enum: ['applied', 'unchanged', 'repeated'] }),
  commandId: CommandId,
  ranking: Type.Optional(Ranking),
  listEtag: Type.String({
    description: 'Give it as If-Match to refuse a change of a list that someone else changed meanwhile.',
  }),
  events: Type.Array(EventSummary),
  receipt: Type.String({ description: 'Give it as ?after= to any read that must include this command.' }),
})
export type CommandAnswer = Static<typeof CommandAnswer>

export const RankingsQuery = Type.Object(
  {
    dishType: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    restaurantId: Type.Optional(Uuid),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
    cursor: Type.Optional(CursorParameter),
  },
  closed,
)
export const RankingsPage = Type.Object({ rankings: Type.Array(Ranking), nextCursor: nullable(Type.String()) })

export const BestDishesQuery = Type.Object(
  {
    city: Type.String({ minLength: 1, maxLength: 100 }),
    dishType: Type.String({ minLength: 1, maxLength: 100 }),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    cursor: Type.Optional(CursorParameter),
  },
  closed,
)
export const BestDish = Type.Object({
  dishId: Uuid,
  dishName: Type.String(),
  restaurantId: Uuid,
  restaurantName: Type.String(),
  price: nullable(Type.Number()),
  isAvailable: Type.Boolean(),
  oneBestCount: Type.Integer({ description: 'Users who have it at rank 1 of their list there.' }),
  rankingCount: Type.Integer(),
  ratingCount: Type.Integer(),
  ratingMean: nullable(Type.Number({ description: 'Mean of the ratings, rounded to 0.01.' })),
})
export type BestDish = Static<typeof BestDish>
export const BestDishesPage = Type.Object({ dishes: Type.Array(BestDish), nextCursor: nullable(Type.String()) })

const batched = {
  commandId: CommandId,
  userId: UserIdText,
  restaurantId: RestaurantIdText,
  dishId: DishIdText,
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

export const Verdict = Type.Object(
  {
    commandId: CommandId,
    status: Type.String({ enum: ['applied', 'unchanged', 'repeated', 'refused'] }),
    receipt: Type.Optional(Type.String()),
    problem: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: 'Why it was refused (RFC 9457).' }),
    ),
  },
  { description: 'What became of one command of the batch.' },
)
export const BatchAnswer = Type.Object({ verdicts: Type.Array(Verdict) })
export type Verdict = Static<typeof Verdict>
