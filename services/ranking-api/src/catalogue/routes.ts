/** Users, restaurants, dishes and menus: PUT is safe to repeat, GET answers 304 to whoever has the current version. */
import {
  CursorParameter,
  decodeCursor,
  type EntityTags,
  encodeCursor,
  entityTag,
  notModified,
  nullable,
  type Problem,
  ProblemSchema,
  parseIfMatch,
  parseIfNoneMatch,
  problem,
  type Routes,
  requireRole,
  requireSelfOr,
  Uuid,
} from '@bellyfed/http'
import type { Pool } from '@bellyfed/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import { DishParams, MenuItemParams, RestaurantParams, UserParams, WriteHeaders } from '../routes/shapes.ts'
import {
  dishes,
  dishFields,
  listMenu,
  type MenuEntryRow,
  menuEntry,
  menuItemFields,
  menuItems,
  restaurantFields,
  restaurants,
  userFields,
  users,
} from './entities.ts'
import { type EntityKind, getEntity, putEntity, type Stored, type WriteConditions } from './entity.ts'
import {
  Dish,
  DishBody,
  MenuEntry,
  MenuItem,
  MenuItemBody,
  Restaurant,
  RestaurantBody,
  User,
  UserBody,
} from './shapes.ts'

/** What the database refused, in the words of the contract. */
const refusals: Record<string, () => Problem> = {
  users_username_key: () => taken('username'),
  users_email_key: () => taken('email'),
  user_rankings_dish_fkey: () =>
    problem('dish-type-is-ranked', {
      status: 409,
      title: 'A ranked dish keeps its dish type',
      detail: 'lists are kept per dish type; create another dish instead',
      errors: [{ field: 'dishType', rule: 'ranked', message: 'cannot change once the dish is ranked' }],
    }),
  menu_items_restaurant_id_fkey: () => unknown('restaurantId', 'restaurant'),
  menu_items_dish_id_fkey: () => unknown('dishId', 'dish'),
}

function taken(field: string): Problem {
  return problem(`${field}-taken`, {
    status: 409,
    title: `This ${field} belongs to another user`,
    errors: [{ field, rule: 'unique', message: 'belongs to another user' }],
  })
}

function unknown(field: string, what: string): Problem {
  return problem('not-found', {
    detail: `there is no such ${what}`,
    errors: [{ field, rule: 'exists', message: `no such ${what}`, in: 'path' }],
  })
}

const versionOf = (tag: string) => (/^"(\d{1,15})"$/.test(tag) ? Number(tag.slice(1, -1)) : 0)

/** `If-Match` and `If-None-Match: *` as conditions on the stored version. */
export function conditionsOf(request: FastifyRequest): WriteConditions {
  const match: EntityTags | undefined = parseIfMatch(request.headers['if-match'])
  const noneMatch = parseIfNoneMatch(request.headers['if-none-match'])
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw problem('invalid-request', {
      detail: 'if-none-match: only * is supported on writes',
      errors: [{ field: 'if-none-match', rule: 'const', message: 'must be *', in: 'header' }],
    })
  }
  return {
    isRequired: match !== undefined,
    versions: match === undefined || match === '*' ? undefined : match.map(versionOf),
    createOnly: noneMatch === '*',
  }
}

async function put<Row extends { readonly version: bigint }, View>(
  pool: Pool,
  kind: EntityKind<Row, View>,
  write: { request: FastifyRequest; reply: FastifyReply; ids: readonly string[]; fields: object },
): Promise<View> {
  const { request, reply, ids, fields } = write
  const outcome = await putEntity(pool, kind, { ids, fields, conditions: conditionsOf(request) })
  switch (outcome.status) {
    case 'refused':
      throw refusals[outcome.constraint]?.() ?? problem('conflict', { detail: `refused by ${outcome.constraint}` })
    case 'condition-failed': {
      const { current } = outcome
      throw problem('precondition-failed', {
        detail: current === undefined ? 'it does not exist' : `it is at version ${current.version}`,
        ...(current !== undefined && { headers: { etag: entityTag(current.version) } }),
      })
    }
    default:
      reply.code(outcome.status === 'created' ? 201 : 200).header('etag', entityTag(outcome.version))
      return outcome.view
  }
}

function get<View>(request: FastifyRequest, reply: FastifyReply, what: string, stored: Stored<View> | undefined) {
  if (stored === undefined) throw problem('not-found', { detail: `there is no such ${what}` })
  return notModified(request, reply, entityTag(stored.version)) ? reply.send() : stored.view
}

const writes = <Body extends TSchema, Params extends TSchema, View extends TSchema>(
  params: Params,
  body: Body,
  view: View,
  summary: string,
) => ({
  summary,
  params,
  body,
  headers: WriteHeaders,
  response: { 200: view, 201: view, '4xx': ProblemSchema },
})
const reads = <Params extends TSchema, View extends TSchema>(params: Params, view: View, summary: string) => ({
  summary,
  params,
  response: { 200: view, '4xx': ProblemSchema },
})

const curators = requireRole('service', 'admin')
const anyone = requireRole('user', 'service', 'admin')
const self = requireSelfOr('service', 'admin')

export const userRoutes =
  (pool: Pool): Routes =>
  (app) => {
    const schema = writes(UserParams, UserBody, User, 'Create or replace a user')
    app.put('/v1/users/:userId', { schema, onRequest: self }, (request, reply) =>
      put(pool, users, { request, reply, ids: [request.params.userId], fields: userFields(request.body) }),
    )
    app.get(
      '/v1/users/:userId',
      { schema: reads(UserParams, User, 'A user'), onRequest: self },
      async (request, reply) => get(request, reply, 'user', await getEntity(pool, users, [request.params.userId])),
    )
  }

export const restaurantRoutes =
  (pool: Pool): Routes =>
  (app) => {
    const schema = writes(RestaurantParams, RestaurantBody, Restaurant, 'Create or replace a restaurant')
    app.put('/v1/restaurants/:restaurantId', { schema, onRequest: curators }, (request, reply) =>
      put(pool, restaurants, {
        request,
        reply,
        ids: [request.params.restaurantId],
        fields: restaurantFields(request.body),
      }),
    )
    const single = reads(RestaurantParams, Restaurant, 'A restaurant')
    app.get('/v1/restaurants/:restaurantId', { schema: single, onRequest: anyone }, async (request, reply) =>
      get(request, reply, 'restaurant', await getEntity(pool, restaurants, [request.params.restaurantId])),
    )
  }

export const dishRoutes =
  (pool: Pool): Routes =>
  (app) => {
    const schema = writes(DishParams, DishBody, Dish, 'Create or replace a dish; its dish type stays once it is ranked')
    app.put('/v1/dishes/:dishId', { schema, onRequest: curators }, (request, reply) =>
      put(pool, dishes, { request, reply, ids: [request.params.dishId], fields: dishFields(request.body) }),
    )
    app.get(
      '/v1/dishes/:dishId',
      { schema: reads(DishParams, Dish, 'A dish'), onRequest: anyone },
      async (request, reply) => get(request, reply, 'dish', await getEntity(pool, dishes, [request.params.dishId])),
    )
  }

const MenuQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  cursor: Type.Optional(CursorParameter),
})
const MenuPage = Type.Object({ items: Type.Array(MenuEntry), nextCursor: nullable(Type.String()) })

export const menuRoutes =
  (pool: Pool): Routes =>
  (app) => {
    const schema = writes(MenuItemParams, MenuItemBody, MenuItem, 'Put a dish on a menu')
    app.put('/v1/restaurants/:restaurantId/menu/:dishId', { schema, onRequest: curators }, (request, reply) => {
      const { restaurantId, dishId } = request.params
      return put(pool, menuItems, { request, reply, ids: [restaurantId, dishId], fields: menuItemFields(request.body) })
    })
    const single = reads(MenuItemParams, MenuItem, 'What a menu says of a dish')
    app.get(
      '/v1/restaurants/:restaurantId/menu/:dishId',
      { schema: single, onRequest: anyone },
      async (request, reply) => {
        const { restaurantId, dishId } = request.params
        return get(request, reply, 'menu item', await getEntity(pool, menuItems, [restaurantId, dishId]))
      },
    )
    const list = { ...reads(RestaurantParams, MenuPage, 'A menu, page by page'), querystring: MenuQuery }
    app.get('/v1/restaurants/:restaurantId/menu', { schema: list, onRequest: anyone }, async (request) =>
      menuPage(pool, request.params.restaurantId, request.query),
    )
  }

async function menuPage(pool: Pool, restaurantId: string, query: Static<typeof MenuQuery>) {
  const after = query.cursor === undefined ? null : decodeCursor(Uuid, query.cursor)
  const { rows } = await pool.query<MenuEntryRow>(listMenu, [restaurantId, after, query.limit])
  const last = rows.length === query.limit ? rows.at(-1) : undefined
  return { items: rows.map(menuEntry), nextCursor: last === undefined ? null : encodeCursor(last.dish_id) }
}
