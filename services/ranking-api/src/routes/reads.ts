/** Reads that this service answers from its own tables. They include every command that was answered before. */
import {
  decodeCursor,
  encodeCursor,
  notModified,
  ProblemSchema,
  problem,
  type Routes,
  requireRole,
  requireSelfOr,
  Uuid,
} from '@bellyfed/http'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { ApiQueryBus } from '../api-buses.ts'
import { listEtag } from '../domain/user-aggregate.ts'
import { rankingView } from './ranking-view.ts'
import {
  BestDishesPage,
  BestDishesQuery,
  Ranking,
  RankingParams,
  RankingsPage,
  RankingsQuery,
  UserParams,
} from './shapes.ts'

const selfOrService = requireSelfOr('service', 'admin')
const anyone = requireRole('user', 'service', 'admin')
const RankingsCursor = Type.Object({ dishType: Type.String(), restaurantId: Uuid, rank: Type.Integer() })
const OffsetCursor = Type.Integer({ minimum: 0, maximum: 1_000_000 })

export const readRoutes =
  (queries: ApiQueryBus): Routes =>
  (app) => {
    const single = {
      summary: "A ranking; the ETag is that of its list, for a later write's If-Match",
      params: RankingParams,
      response: { 200: Ranking, '4xx': ProblemSchema },
    }
    const path = '/v1/users/:userId/rankings/:restaurantId/:dishId'
    app.get(path, { schema: single, onRequest: selfOrService }, async (request, reply) => {
      const list = await queries.execute('rankings.list', request.params)
      const ranking = list.find(({ dishId }) => dishId === request.params.dishId)
      if (ranking === undefined) {
        throw problem('not-found', { detail: 'this user does not rank this dish at this restaurant' })
      }
      if (notModified(request, reply, listEtag(list))) return (reply as FastifyReply).send()
      return rankingView(request.params.userId, ranking)
    })

    const page = {
      summary: "A user's rankings, list by list and each in its order",
      params: UserParams,
      querystring: RankingsQuery,
      response: { 200: RankingsPage, '4xx': ProblemSchema },
    }
    app.get('/v1/users/:userId/rankings', { schema: page, onRequest: selfOrService }, async (request) => {
      const { userId } = request.params
      const { dishType, restaurantId, limit, cursor } = request.query
      const after = cursor === undefined ? undefined : decodeCursor(RankingsCursor, cursor)
      const found = await queries.execute('rankings.of-user', { userId, dishType, restaurantId, after, limit })
      const last = found.length === limit ? found.at(-1) : undefined
      const place = last && { dishType: last.dishType, restaurantId: last.restaurantId, rank: last.rank }
      return {
        rankings: found.map((ranking) => rankingView(userId, ranking)),
        nextCursor: place === undefined ? null : encodeCursor(place),
      }
    })

    const best = {
      summary: 'The best dishes of a type in a city: most often at rank 1, then best rated',
      querystring: BestDishesQuery,
      response: { 200: BestDishesPage, '4xx': ProblemSchema },
    }
    app.get('/v1/dishes/best', { schema: best, onRequest: anyone }, async (request) => {
      const { city, dishType, limit, cursor } = request.query
      const offset = cursor === undefined ? 0 : decodeCursor(OffsetCursor, cursor)
      const dishes = await queries.execute('dishes.best', { city, dishType, offset, limit })
      return { dishes, nextCursor: dishes.length === limit ? encodeCursor(offset + limit) : null }
    })
  }
