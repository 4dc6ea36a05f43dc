import { idOf } from '@bellyfed/testkit'
import { type Api, ask, forEachOf } from './client.ts'

/** People, places and dishes that a test ranks, made through the public API. */
export interface World {
  readonly userIds: readonly string[]
  /** What may be ranked: each dish where it is served. */
  readonly menu: readonly MenuItem[]
}

export interface MenuItem {
  readonly restaurantId: string
  readonly dishId: string
}

export interface WorldOptions {
  /** Worlds of different names share nothing. */
  readonly name: string
  readonly userCount: number
  /** Each dish type is one list of a user at the one restaurant. */
  readonly dishTypeCount: number
  readonly dishesPerType: number
}

const requestsAtOnce = 24

export async function createWorld(api: Api, options: WorldOptions): Promise<World> {
  const { name, userCount, dishTypeCount, dishesPerType } = options
  const restaurantId = idOf('restaurant', name)
  const userIds = Array.from({ length: userCount }, (_, index) => idOf('user', `${name}-${index}`))
  const dishes = Array.from({ length: dishTypeCount * dishesPerType }, (_, index) => ({
    dishId: idOf('dish', `${name}-${index}`),
    name: `${name} ${index}`,
    dishType: `${name}-${index % dishTypeCount}`,
  }))
  await ask(api, 'PUT', `/v1/restaurants/${restaurantId}`, { name, city: 'Osaka', country: 'JP' })
  await forEachOf(dishes, requestsAtOnce, async ({ dishId, ...dish }) => {
    await ask(api, 'PUT', `/v1/dishes/${dishId}`, dish)
    await ask(api, 'PUT', `/v1/restaurants/${restaurantId}/menu/${dishId}`, {})
  })
  await forEachOf([...userIds.entries()], requestsAtOnce, ([index, userId]) =>
    ask(api, 'PUT', `/v1/users/${userId}`, { username: `${name}-${index}` }),
  )
  return { userIds, menu: dishes.map(({ dishId }) => ({ restaurantId, dishId })) }
}
