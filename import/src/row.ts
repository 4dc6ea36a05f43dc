/**
 * What one row of the file says, or why it says nothing that could be ranked.
 *
 * The checks come in this order and the first that fails is the reason: user, restaurant, dish, dish type, rating or
 * rank present, numbers, ranges, time. A key is blank when all its parts are; a restaurant or dish without a name is
 * blank too, for there would be nothing to call it by.
 */
import { type Decimal, parseDecimal, ratingOf, wholeNumber } from './decimal.ts'
import { createTimeReader } from './event-time.ts'
import { keyOf } from './identity.ts'
import { type Mapping, ratingScaleOf, type Value } from './mapping.ts'
import type { Read, ValueBinding } from './value-binding.ts'

export type RejectReason =
  | 'malformed-row'
  | 'blank-user'
  | 'blank-restaurant'
  | 'blank-dish'
  | 'blank-dish-type'
  | 'neither-rating-nor-rank'
  | 'not-a-number'
  | 'out-of-range'
  | 'unreadable-time'
  | 'time-ahead'
  /** Readable, but the API refused the row or something that it needs. */
  | 'refused'

export interface Rejection {
  readonly reason: RejectReason
  readonly detail: string
}

export interface UserFacts {
  readonly username: string
  readonly displayName: string
}

export interface RestaurantFacts {
  readonly name: string
  readonly address?: string
  readonly city?: string
  readonly state?: string
  readonly country?: string
  readonly postalCode?: string
  readonly cuisineTypes: readonly string[]
  readonly latitude?: number
  readonly longitude?: number
}

export interface DishFacts {
  readonly name: string
  readonly dishType: string
}

export interface MenuFacts {
  readonly price?: number
}

/** A row that can be ranked: the act, and what it says about those it is about. */
export interface RankedRow {
  readonly rowId: string | null
  readonly timeMs: number
  readonly ratingHundredths: number | null
  readonly isRatingRounded: boolean
  readonly rank: number | null
  readonly notes: string | null
  readonly user: { readonly key: string; readonly facts: UserFacts }
  readonly restaurant: { readonly key: string; readonly facts: RestaurantFacts }
  readonly dish: { readonly key: string; readonly facts: DishFacts }
  readonly menu: MenuFacts
}

/** How far a time may lie ahead of the clock: clocks differ. */
const clockSkewMsMax = 60_000
const rankMax = 10_000

class Rejected extends Error {
  readonly rejection: Rejection

  constructor(reason: RejectReason, detail: string) {
    super(detail)
    this.rejection = { reason, detail }
  }
}

export type RowReader = (cells: readonly string[], nowMs: number) => RankedRow | Rejection

/** Binds the mapping's values and gives the function that reads a row by them. */
export function createRowReader(mapping: Mapping, binding: ValueBinding): RowReader {
  const rowId = optional(binding, mapping.rowId)
  const notes = optional(binding, mapping.notes)
  const readUser = userReader(mapping, binding)
  const readRestaurant = restaurantReader(mapping, binding)
  const readDish = dishReader(mapping, binding)
  const readMenu = menuReader(mapping, binding)
  const readScore = scoreReader(mapping, binding)
  const readTime = timeReader(mapping, binding)
  return (cells, nowMs) => {
    try {
      const user = readUser(cells)
      const restaurantKey = readRestaurant.key(cells)
      const dish = readDish(cells)
      const score = readScore(cells)
      const restaurant = { key: restaurantKey, facts: readRestaurant.facts(cells) }
      const menu = readMenu(cells)
      const timeMs = readTime(cells, nowMs)
      return {
        rowId: filled(rowId(cells)),
        timeMs,
        ...score,
        notes: filled(notes(cells)),
        user,
        restaurant,
        dish,
        menu,
      }
    } catch (error) {
      if (error instanceof Rejected) return error.rejection
      throw error
    }
  }
}

function userReader(mapping: Mapping, binding: ValueBinding) {
  const parts = mapping.user.key.map((value) => binding.bind(value))
  const username = optional(binding, mapping.user.username)
  const displayName = optional(binding, mapping.user.displayName)
  return (cells: readonly string[]) => {
    const written = parts.map((read) => read(cells))
    const key = keyOf(written)
    if (key === undefined) throw new Rejected('blank-user', 'the user is blank')
    const shown = displayName(cells) || written.find((part) => part !== '') || key
    return { key, facts: { username: username(cells) || key, displayName: shown } }
  }
}

function restaurantReader(mapping: Mapping, binding: ValueBinding) {
  const { restaurant } = mapping
  const parts = restaurant.key.map((value) => binding.bind(value))
  const name = binding.bind(restaurant.name)
  const texts = (['address', 'city', 'state', 'country', 'postalCode'] as const).map(
    (field) => [field, optional(binding, restaurant[field])] as const,
  )
  const cuisines = (restaurant.cuisineTypes ?? []).map((value) => binding.bind(value))
  const latitude = optional(binding, restaurant.latitude)
  const longitude = optional(binding, restaurant.longitude)
  const key = (cells: readonly string[]): string => {
    const found = keyOf(parts.map((read) => read(cells)))
    if (found === undefined || name(cells) === '') throw new Rejected('blank-restaurant', 'the restaurant is blank')
    return found
  }
  const facts = (cells: readonly string[]): RestaurantFacts => {
    const places = texts.flatMap(([field, read]) => (read(cells) === '' ? [] : [[field, read(cells)] as const]))
    const cuisineTypes = [...new Set(cuisines.map((read) => read(cells)).filter((cuisine) => cuisine !== ''))]
    const north = coordinate('latitude', latitude(cells), 90)
    const east = coordinate('longitude', longitude(cells), 180)
    const point = north === undefined || east === undefined ? {} : { latitude: north, longitude: east }
    return { name: name(cells), ...Object.fromEntries(places), cuisineTypes, ...point }
  }
  return { key, facts }
}

function coordinate(name: string, text: string, degreesMax: number): number | undefined {
  if (text === '') return undefined
  const degrees = decimalToNumber(numberIn(name, text))
  if (Math.abs(degrees) > degreesMax) throw new Rejected('out-of-range', `${name} ${text} is not within ±${degreesMax}`)
  return degrees
}

function dishReader(mapping: Mapping, binding: ValueBinding) {
  const parts = mapping.dish.key.map((value) => binding.bind(value))
  const name = binding.bind(mapping.dish.name)
  const type = binding.bind(mapping.dish.type)
  return (cells: readonly string[]) => {
    const key = keyOf(parts.map((read) => read(cells)))
    if (key === undefined || name(cells) === '') throw new Rejected('blank-dish', 'the dish is blank')
    if (type(cells) === '') throw new Rejected('blank-dish-type', 'the dish type is blank')
    return { key, facts: { name: name(cells), dishType: type(cells) } }
  }
}

function menuReader(mapping: Mapping, binding: ValueBinding) {
  const price = optional(binding, mapping.menu?.price)
  return (cells: readonly string[]): MenuFacts => {
    const text = price(cells)
    if (text === '') return {}
    const value = decimalToNumber(numberIn('price', text))
    if (value < 0) throw new Rejected('out-of-range', `price ${text} is below 0`)
    return { price: Math.round(value * 100) / 100 }
  }
}

function scoreReader(mapping: Mapping, binding: ValueBinding) {
  const rating = optional(binding, mapping.rating?.value)
  const scale = ratingScaleOf(mapping)
  const rank = optional(binding, mapping.rank)
  return (cells: readonly string[]) => {
    const ratingText = rating(cells)
    const rankText = rank(cells)
    if (ratingText === '' && rankText === '') {
      throw new Rejected('neither-rating-nor-rank', 'there is neither a rating nor a rank')
    }
    const read = scale === undefined || ratingText === '' ? undefined : ratingOf(numberIn('rating', ratingText), scale)
    if (read?.kind === 'out-of-range') throw new Rejected('out-of-range', `rating ${ratingText} is out of range`)
    return {
      ratingHundredths: read?.hundredths ?? null,
      isRatingRounded: read?.isRounded ?? false,
      rank: rankText === '' ? null : rankIn(rankText),
    }
  }
}

function rankIn(text: string): number {
  const rank = wholeNumber(numberIn('rank', text))
  if (rank === undefined) throw new Rejected('not-a-number', `rank ${quoted(text)} is no whole number`)
  if (rank < 1 || rank > rankMax) throw new Rejected('out-of-range', `rank ${text} is not within 1 to ${rankMax}`)
  return rank
}

function timeReader(mapping: Mapping, binding: ValueBinding) {
  const time = binding.bind(mapping.time.value)
  const read = createTimeReader(mapping.time)
  return (cells: readonly string[], nowMs: number): number => {
    const text = time(cells)
    const timeMs = read(text)
    if (timeMs === undefined)
      throw new Rejected('unreadable-time', `time ${quoted(text)} is not as ${mapping.time.format}`)
    if (timeMs > nowMs + clockSkewMsMax)
      throw new Rejected('time-ahead', `time ${quoted(text)} is more than a minute ahead`)
    return timeMs
  }
}

function optional(binding: ValueBinding, value: Value | undefined): Read {
  return value === undefined ? () => '' : binding.bind(value)
}

function filled(text: string): string | null {
  return text === '' ? null : text
}

function numberIn(name: string, text: string): Decimal {
  const value = parseDecimal(text)
  if (value === undefined) throw new Rejected('not-a-number', `${name} ${quoted(text)} is no number`)
  return value
}

function decimalToNumber(value: Decimal): number {
  return Number(`${value.units}e-${value.scale}`)
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
