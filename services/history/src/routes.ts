/**
 * The read API of the history. Every list is newest first and pages by a cursor that names the last row given, so that
 * rows which are added meanwhile neither shift nor repeat what follows. `after` takes a receipt: the answer includes
 * that write, or says with 202 that it does not yet.
 */
import {
  awaitReceipt,
  CursorParameter,
  decodeCursor,
  decodeReceipt,
  encodeCursor,
  entityTag,
  notModified,
  ProblemSchema,
  problem,
  type Receipt,
  ReceiptParameter,
  type ReceiptState,
  type Routes,
  requireRole,
  requireSelfOr,
  Timestamp,
  Uuid,
} from '@bellyfed/http'
import type { Queryable } from '@bellyfed/postgres'
import { Type } from 'typebox'
import { changeAnswer, DishHistoryPage, ListsAnswer, listsAnswer, UserHistoryPage } from './answers.ts'
import { type Change, dishHistory, listsAsOf, userHistory } from './history-reads.ts'

export interface HistoryRoutesOptions {
  readonly pool: Queryable
  /** Whether the projection includes what a receipt stands for. */
  readonly passed: (receipt: Receipt) => Promise<ReceiptState>
  /** Longest time that a read waits for a receipt. */
  readonly receiptWaitMsMax: number
}

const LimitParameter = Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Changes on one page' })
const DishTypeParameter = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000]*$' })
const after = Type.Optional(ReceiptParameter)
const notYet = { 202: ProblemSchema }

const CursorVersion = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const UserCursor = Type.Tuple([CursorVersion])
const DishCursor = Type.Tuple([Timestamp, Uuid, CursorVersion])

/** The routes of the service. */
export function historyRoutes({ pool, passed, receiptWaitMsMax }: HistoryRoutesOptions): Routes {
  const includes = async (receipt: string | undefined, signal: AbortSignal): Promise<void> => {
    if (receipt === undefined) return
    await awaitReceipt({ receipt: decodeReceipt(receipt), passed, timeoutMs: receiptWaitMsMax, signal })
  }

  return (app) => {
    app.get(
      '/v1/users/:userId/history',
      {
        onRequest: requireSelfOr('service', 'admin'),
        schema: {
          summary: 'Every change of a user’s rankings, newest first',
          params: Type.Object({ userId: Uuid }),
          querystring: Type.Object({
            cursor: Type.Optional(CursorParameter),
            limit: LimitParameter,
            dishId: Type.Optional(Uuid),
            restaurantId: Type.Optional(Uuid),
            dishType: Type.Optional(DishTypeParameter),
            after,
          }),
          response: { 200: UserHistoryPage, ...notYet },
        },
      },
      async (request) => {
        const { cursor, limit, dishId, restaurantId, dishType, after: receipt } = request.query
        const [belowVersion] = cursor === undefined ? [] : decodeCursor(UserCursor, cursor)
        await includes(receipt, request.signal)
        const { userId } = request.params
        const changes = await userHistory(pool, {
          userId,
          belowVersion,
          dishId,
          restaurantId,
          dishType,
          limit: limit + 1,
        })
        return page(changes, limit, (last) => [last.version])
      },
    )

    app.get(
      '/v1/dishes/:dishId/history',
      {
        onRequest: requireRole('user', 'service', 'admin'),
        schema: {
          summary: 'Every change of a dish’s rankings by any user, newest first',
          params: Type.Object({ dishId: Uuid }),
          querystring: Type.Object({ cursor: Type.Optional(CursorParameter), limit: LimitParameter, after }),
          response: { 200: DishHistoryPage, ...notYet },
        },
      },
      async (request) => {
        const { cursor, limit, after: receipt } = request.query
        const below = cursor === undefined ? undefined : dishPlace(cursor)
        await includes(receipt, request.signal)
        const changes = await dishHistory(pool, { dishId: request.params.dishId, below, limit: limit + 1 })
        return page(changes, limit, (last) => [last.acceptedAt.toISOString(), last.userId, last.version])
      },
    )

    app.get(
      '/v1/users/:userId/lists',
      {
        onRequest: requireSelfOr('service', 'admin'),
        schema: {
          summary: 'A user’s lists as they stood at an acceptance time',
          params: Type.Object({ userId: Uuid }),
          querystring: Type.Object({
            asOf: Type.Optional(Timestamp),
            dishType: Type.Optional(DishTypeParameter),
            restaurantId: Type.Optional(Uuid),
            after,
          }),
          response: { 200: ListsAnswer, 304: Type.Null(), ...notYet },
        },
      },
      async (request, reply) => {
        const { asOf: asOfText, dishType, restaurantId, after: receipt } = request.query
        const asOf = asOfText === undefined ? undefined : momentOf('asOf', asOfText)
        await includes(receipt, request.signal)
        const found = await listsAsOf(pool, { userId: request.params.userId, asOf, dishType, restaurantId })
        if (notModified(request, reply, entityTag(found.version))) return null
        return listsAnswer(found, asOf)
      },
    )
  }
}

function page(changes: readonly Change[], limit: number, placeOf: (last: Change) => unknown) {
  const shown = changes.slice(0, limit)
  const last = shown.at(-1)
  return {
    changes: shown.map(changeAnswer),
    nextCursor: changes.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : null,
  }
}

function dishPlace(cursor: string) {
  const [acceptedAt, userId, version] = decodeCursor(DishCursor, cursor)
  return { acceptedAt: momentOf('cursor', acceptedAt), userId, version }
}

/** What the database can hold: from 1970, as nothing was accepted earlier. A leap second is well-formed, but no moment. */
function momentOf(field: string, text: string): Date {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) {
    const message = 'must be a moment that exists'
    throw problem('invalid-request', {
      detail: `${field}: ${message}`,
      errors: [{ field, rule: 'format', message, in: 'query' }],
    })
  }
  return new Date(Math.max(ms, 0))
}
