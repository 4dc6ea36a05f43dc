/** The four kinds of the catalogue: their statements, their rows, and how both meet the public contract. */
import { statement } from '@bellyfed/postgres'
import type { EntityKind } from './entity.ts'
import type {
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

interface Stamps {
  readonly version: bigint
  readonly created_at: Date
  readonly updated_at: Date
}

const sql = (name: string) => statement(import.meta.url, `../../sql/catalogue/${name}.sql`)
const stampsOf = (row: Stamps) => ({
  version: Number(row.version),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})
/** `numeric` arrives as text, so that no driver rounds it. */
const numberOf = (value: string | null) => (value === null ? null : Number(value))

interface UserRow extends Stamps {
  readonly user_id: string
  readonly username: string
  readonly display_name: string | null
  readonly email: string | null
  readonly profile_image_url: string | null
  readonly bio: string | null
  readonly location: string | null
}

export const users: EntityKind<UserRow, User> = {
  put: sql('put-user'),
  get: sql('get-user'),
  view: (row) => ({
    userId: row.user_id,
    username: row.username,
    displayName: row.display_name,
    email: row.email,
    profileImageUrl: row.profile_image_url,
    bio: row.bio,
    location: row.location,
    ...stampsOf(row),
  }),
}
export const userFields = (body: UserBody) => ({
  username: body.username,
  display_name: body.displayName ?? null,
  email: body.email ?? null,
  profile_image_url: body.profileImageUrl ?? null,
  bio: body.bio ?? null,
  location: body.location ?? null,
})

interface RestaurantRow extends Stamps {
  readonly restaurant_id: string
  readonly name: string
  readonly address: string | null
  readonly city: string | null
  readonly state: string | null
  readonly country: string | null
  readonly postal_code: string | null
  readonly latitude: string | null
  readonly longitude: string | null
  readonly phone: string | null
  readonly website: string | null
  readonly hours: Record<string, string> | null
  readonly cuisine_type: string[]
  readonly price_range: number | null
}

export const restaurants: EntityKind<RestaurantRow, Restaurant> = {
  put: sql('put-restaurant'),
  get: sql('get-restaurant'),
  view: (row) => ({
    restaurantId: row.restaurant_id,
    name: row.name,
    address: row.address,
    city: row.city,
    state: row.state,
    country: row.country,
    postalCode: row.postal_code,
    latitude: numberOf(row.latitude),
    longitude: numberOf(row.longitude),
    phone: row.phone,
    website: row.website,
    hours: row.hours,
    cuisineTypes: row.cuisine_type,
    priceRange: row.price_range,
    ...stampsOf(row),
  }),
}
export const restaurantFields = (body: RestaurantBody) => ({
  name: body.name,
  address: body.address ?? null,
  city: body.city ?? null,
  state: body.state ?? null,
  country: body.country ?? null,
  postal_code: body.postalCode ?? null,
  latitude: body.latitude ?? null,
  longitude: body.longitude ?? null,
  phone: body.phone ?? null,
  website: body.website ?? null,
  hours: body.hours ?? null,
  cuisine_type: body.cuisineTypes ?? [],
  price_range: body.priceRange ?? null,
})

interface DishRow extends Stamps {
  readonly dish_id: string
  readonly name: string
  readonly dish_type: string
  readonly description: string | null
  readonly tags: string[]
  readonly image_url: string | null
}

export const dishes: EntityKind<DishRow, Dish> = {
  put: sql('put-dish'),
  get: sql('get-dish'),
  view: (row) => ({
    dishId: row.dish_id,
    name: row.name,
    dishType: row.dish_type,
    description: row.description,
    tags: row.tags,
    imageUrl: row.image_url,
    ...stampsOf(row),
  }),
}
export const dishFields = (body: DishBody) => ({
  name: body.name,
  dish_type: body.dishType,
  description: body.description ?? null,
  tags: body.tags ?? [],
  image_url: body.imageUrl ?? null,
})

interface MenuItemRow extends Stamps {
  readonly restaurant_id: string
  readonly dish_id: string
  readonly price: string | null
  readonly description: string | null
  readonly image_url: string | null
  readonly is_seasonal: boolean
  readonly is_available: boolean
}

export const menuItems: EntityKind<MenuItemRow, MenuItem> = {
  put: sql('put-menu-item'),
  get: sql('get-menu-item'),
  view: (row) => ({
    restaurantId: row.restaurant_id,
    dishId: row.dish_id,
    price: numberOf(row.price),
    description: row.description,
    imageUrl: row.image_url,
    isSeasonal: row.is_seasonal,
    isAvailable: row.is_available,
    ...stampsOf(row),
  }),
}
export const menuItemFields = (body: MenuItemBody) => ({
  price: body.price ?? null,
  description: body.description ?? null,
  image_url: body.imageUrl ?? null,
  is_seasonal: body.isSeasonal ?? false,
  is_available: body.isAvailable ?? true,
})

export interface MenuEntryRow extends MenuItemRow {
  readonly dish_name: string
  readonly dish_type: string
}
export const listMenu = sql('list-menu')
export const menuEntry = (row: MenuEntryRow): MenuEntry => ({
  ...menuItems.view(row),
  dishName: row.dish_name,
  dishType: row.dish_type,
})
