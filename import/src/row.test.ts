import { expect, test } from 'vitest'
import { checkMapping } from './mapping.ts'
import { createRowReader, type RankedRow, type Rejection } from './row.ts'
import { ValueBinding } from './value-binding.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const fields = [
  'id',
  'user',
  'place',
  'dish',
  'type',
  'rating',
  'rank',
  'time',
  'lat',
  'lng',
  'price',
  'notes',
] as const
type Fields = Partial<Record<(typeof fields)[number], string>>

const complete: Fields = { user: 'Ann', place: 'Oscar’s', dish: 'Ramen', type: 'soup', rating: '4', time: '2020-01-01' }
const column = (name: (typeof fields)[number]) => ({ column: name })

const mapping = checkMapping({
  namespace: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  rowId: column('id'),
  user: { key: [column('user')] },
  restaurant: {
    key: [column('place'), column('lat')],
    name: column('place'),
    city: { firstOf: [{ constant: '' }, { constant: 'Kyoto' }] },
    cuisineTypes: [{ constant: 'Japanese' }, { constant: 'Japanese' }, { constant: '' }],
    latitude: column('lat'),
    longitude: column('lng'),
  },
  dish: { key: [column('dish')], name: column('dish'), type: column('type') },
  menu: { price: column('price') },
  rating: { value: column('rating') },
  rank: column('rank'),
  time: { value: column('time'), format: 'iso' },
  notes: column('notes'),
})

function read(row: Fields): RankedRow | Rejection {
  const binding = new ValueBinding(mapping)
  const readRow = createRowReader(mapping, binding)
  const cells = binding.columns.map((ref) => ('column' in ref ? (row[ref.column as keyof Fields] ?? '') : ''))
  return readRow(cells, nowMs)
}

test.each<[string, Fields]>([
  ['blank-user', { user: '' }],
  ['blank-restaurant', { place: '' }],
  ['blank-restaurant', { place: '', lat: '51.5', lng: '0' }], // a place with no name
  ['blank-dish', { dish: '' }],
  ['blank-dish-type', { type: '' }],
  ['neither-rating-nor-rank', { rating: '' }],
  ['not-a-number', { rating: 'good' }],
  ['not-a-number', { rating: '4/5' }],
  ['not-a-number', { rank: 'first' }],
  ['not-a-number', { rank: '1.5' }],
  ['not-a-number', { lat: '51° N', lng: '0' }],
  ['not-a-number', { price: '$5' }],
  ['out-of-range', { rating: '0.49' }],
  ['out-of-range', { rating: '5.004' }], // not rounded into the range
  ['out-of-range', { rank: '0' }],
  ['out-of-range', { rank: '-1' }],
  ['out-of-range', { lat: '90.1', lng: '0' }],
  ['out-of-range', { lat: '0', lng: '-180.5' }],
  ['out-of-range', { price: '-1' }],
  ['unreadable-time', { time: '' }],
  ['unreadable-time', { time: '31.12.2019' }],
  ['time-ahead', { time: '2026-11-21T12:01:00.001Z' }],
])('%s: %j', (reason, change) => {
  expect(read({ ...complete, ...change })).toMatchObject({ reason })
})

test('the first fault in the order of the checks is the reason', () => {
  expect(read({})).toMatchObject({ reason: 'blank-user' })
  expect(read({ user: 'Ann' })).toMatchObject({ reason: 'blank-restaurant' })
  expect(read({ ...complete, rating: '9', time: 'never' })).toMatchObject({ reason: 'out-of-range' })
})

test('the reason comes with the text that it is about', () => {
  expect(read({ ...complete, rating: '0.49' })).toEqual({
    reason: 'out-of-range',
    detail: 'rating 0.49 is out of range',
  })
  expect(read({ ...complete, time: 'x'.repeat(99) })).toMatchObject({
    detail: expect.stringContaining(`${'x'.repeat(60)}…`),
  })
})

test('a time up to a minute ahead is accepted: clocks differ', () => {
  expect(read({ ...complete, time: '2026-11-21T12:01:00.000Z' })).toMatchObject({ timeMs: nowMs + 60_000 })
})

test('a rank alone is enough, and so is a rating', () => {
  expect(read({ ...complete, rating: '', rank: '2' })).toMatchObject({ rank: 2, ratingHundredths: null })
  expect(read(complete)).toMatchObject({ rank: null, ratingHundredths: 400, isRatingRounded: false })
})

test('a row says who, where and what, with blanks left out', () => {
  expect(read({ ...complete, user: 'Ann B', lat: '35.01', lng: '135.77', price: '6.499', id: ' 7'.trim() })).toEqual({
    rowId: '7',
    timeMs: Date.parse('2020-01-01T00:00:00Z'),
    ratingHundredths: 400,
    isRatingRounded: false,
    rank: null,
    notes: null,
    user: { key: 'ann b', facts: { username: 'ann b', displayName: 'Ann B' } },
    restaurant: {
      key: 'oscar’s|35.01',
      facts: { name: 'Oscar’s', city: 'Kyoto', cuisineTypes: ['Japanese'], latitude: 35.01, longitude: 135.77 },
    },
    dish: { key: 'ramen', facts: { name: 'Ramen', dishType: 'soup' } },
    menu: { price: 6.5 },
  })
})

test('half a coordinate is none', () => {
  const row = read({ ...complete, lat: '35.01' })
  expect(row).toMatchObject({ restaurant: { facts: { name: 'Oscar’s' } } })
  expect(row).not.toHaveProperty('restaurant.facts.latitude')
})
