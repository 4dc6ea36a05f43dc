/** The catalogue's shapes in the public contract; bodies are what a PUT may hold, the others what answers do hold. */
import { nullable, Timestamp, Uuid } from '@bellyfed/http'
import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const
/** Names with something to see in them. */
const Name = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '\\S' })
const Text = (maxLength: number) => Type.Optional(nullable(Type.String({ maxLength })))
const Url = Type.Optional(nullable(Type.String({ format: 'uri', maxLength: 2048 })))
const stamps = { version: Type.Integer(), createdAt: Timestamp, updatedAt: Timestamp }
const NullableText = nullable(Type.String())

export const UserBody = Type.Object(
  {
    username: Name(50),
    displayName: Type.Optional(nullable(Name(100))),
    email: Type.Optional(nullable(Type.String({ format: 'email', maxLength: 255 }))),
    profileImageUrl: Url,
    bio: Text(4000),
    location: Text(100),
  },
  closed,
)
export type UserBody = Static<typeof UserBody>
export const User = Type.Object({
  userId: Uuid,
  username: Type.String(),
  displayName: NullableText,
  email: NullableText,
  profileImageUrl: NullableText,
  bio: NullableText,
  location: NullableText,
  ...stamps,
})
export type User = Static<typeof User>

export const RestaurantBody = Type.Object(
  {
    name: Name(255),
    address: Text(500),
    city: Text(100),
    state: Text(100),
    country: Text(100),
    postalCode: Text(20),
    latitude: Type.Optional(nullable(Type.Number({ minimum: -90, maximum: 90 }))),
    longitude: Type.Optional(nullable(Type.Number({ minimum: -180, maximum: 180 }))),
    phone: Text(20),
    website: Url,
    hours: Type.Optional(
      nullable(Type.Record(Type.String({ maxLength: 20 }), Type.String({ maxLength: 100 }), { maxProperties: 20 })),
    ),
    cuisineTypes: Type.Optional(Type.Array(Name(100), { maxItems: 20, uniqueItems: true })),
    priceRange: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 4 }))),
  },
  closed,
)
export type RestaurantBody = Static<typeof RestaurantBody>
export const Restaurant = Type.Object({
  restaurantId: Uuid,
  name: Type.String(),
  address: NullableText,
  city: NullableText,
  state: NullableText,
  country: NullableText,
  postalCode: NullableText,
  latitude: nullable(Type.Number()),
  longitude: nullable(Type.Number()),
  phone: NullableText,
  website: NullableText,
  hours: nullable(Type.Record(Type.String(), Type.String())),
  cuisineTypes: Type.Array(Type.String()),
  priceRange: nullable(Type.Integer()),
  ...stamps,
})
export type Restaurant = Static<typeof Restaurant>

export const DishBody = Type.Object(
  {
    name: Name(255),
    dishType: Name(100),
    description: Text(4000),
    tags: Type.Optional(Type.Array(Name(100), { maxItems: 50, uniqueItems: true })),
    imageUrl: Url,
  },
  closed,
)
export type DishBody = Static<typeof DishBody>
export const Dish = Type.Object({
  dishId: Uuid,
  name: Type.String(),
  dishType: Type.String(),
  description: NullableText,
  tags: Type.Array(Type.String()),
  imageUrl: NullableText,
  ...stamps,
})
export type Dish = Static<typeof Dish>

export const MenuItemBody = Type.Object(
  {
    price: Type.Optional(nullable(Type.Number({ minimum: 0, maximum: 99_999_999.99 }))),
    description: Text(4000),
    imageUrl: Url,
    isSeasonal: Type.Optional(Type.Boolean()),
    isAvailable: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type MenuItemBody = Static<typeof MenuItemBody>
export const MenuItem = Type.Object({
  restaurantId: Uuid,
  dishId: Uuid,
  price: nullable(Type.Number()),
  description: NullableText,
  imageUrl: NullableText,
  isSeasonal: Type.Boolean(),
  isAvailable: Type.Boolean(),
  ...stamps,
})
export type MenuItem = Static<typeof MenuItem>
export const MenuEntry = Type.Object({ ...MenuItem.properties, dishName: Type.String(), dishType: Type.String() })
export type MenuEntry = Static<typeof MenuEntry>
