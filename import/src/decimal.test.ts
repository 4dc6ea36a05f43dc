import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareDecimals, type Decimal, parseDecimal, type RatingScale, ratingOf, wholeNumber } from './decimal.ts'

function decimal(text: string): Decimal {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`${text} is no number`)
  return value
}

const scale = (min: string, max: string, becomes?: [string, string]): RatingScale => ({
  min: decimal(min),
  max: decimal(max),
  ...(becomes === undefined ? {} : { becomes: { min: decimal(becomes[0]), max: decimal(becomes[1]) } }),
})
const own = scale('0.5', '5')

describe('a rating finer than 0.01 is rounded half up, in decimal', () => {
  test.each([
    ['3.33333', 333, true],
    ['3.335', 334, true],
    ['3.334999999999999999999', 333, true],
    ['1.005', 101, true], // 1.005 as a binary float is a little less
    ['4.35', 435, false],
    ['4.350', 435, false],
    ['3.75', 375, false],
    ['5', 500, false],
    ['5.0', 500, false],
    ['0.5', 50, false],
    ['.5', 50, false],
    ['2.', 200, false],
    ['2.5e0', 250, false],
    ['250e-2', 250, false],
    ['+3', 300, false],
    ['4.995', 500, true],
  ])('%s becomes %i hundredths', (text, hundredths, isRounded) => {
    expect(ratingOf(decimal(text), own)).toEqual({ kind: 'rating', hundredths, isRounded })
  })
})

test.each(['0.499', '0.4999999', '5.0000001', '5.004', '-3', '0', '1e9'])(
  'the range is checked before rounding: %s is out of it',
  (text) => expect(ratingOf(decimal(text), own)).toEqual({ kind: 'out-of-range' }),
)

describe('another scale is spread evenly over what its ends become', () => {
  test.each([
    ['0', 50, false],
    ['10', 500, false],
    ['5', 275, false],
    ['1', 95, false],
    ['7.77', 400, true], // 0.5 + 7.77 * 0.45 = 3.9965
    ['0.011', 50, true], // 0.50495
    ['0.0112', 51, true], // 0.50504
  ])('%s of 0 to 10', (text, hundredths, isRounded) => {
    expect(ratingOf(decimal(text), scale('0', '10', ['0.5', '5']))).toEqual({ kind: 'rating', hundredths, isRounded })
  })

  test('thirds are exact until the end', () => {
    // 1 + 1 * 4 / 3 = 2.333… and 1 + 2 * 4 / 3 = 3.666…
    const thirds = scale('0', '3', ['1', '5'])
    expect(ratingOf(decimal('1'), thirds)).toEqual({ kind: 'rating', hundredths: 233, isRounded: true })
    expect(ratingOf(decimal('2'), thirds)).toEqual({ kind: 'rating', hundredths: 367, isRounded: true })
  })

  test('a scale may run the other way', () => {
    const grades = scale('1', '6', ['5', '0.5'])
    expect(ratingOf(decimal('1'), grades)).toEqual({ kind: 'rating', hundredths: 500, isRounded: false })
    expect(ratingOf(decimal('6'), grades)).toEqual({ kind: 'rating', hundredths: 50, isRounded: false })
    expect(ratingOf(decimal('2'), grades)).toEqual({ kind: 'rating', hundredths: 410, isRounded: false })
  })
})

test('every number of whole hundredths in range stays what it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 50, max: 500 }), fc.integer({ min: 0, max: 5 }), (hundredths, zeros) => {
      const text = `${Math.trunc(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}${'0'.repeat(zeros)}`
      expect(ratingOf(decimal(text), own)).toEqual({ kind: 'rating', hundredths, isRounded: false })
    }),
  )
})

test.each([
  '',
  ' ',
  'abc',
  'NaN',
  'Infinity',
  '0x10',
  '3,5',
  '1 000',
  '1_000',
  '--1',
  '.',
  'e5',
  '1e',
  '4/5',
  '1e1000',
  '9'.repeat(65),
])('%j is no number', (text) => expect(parseDecimal(text)).toBeUndefined())

test('numbers are compared by value, not by how they are written', () => {
  expect(compareDecimals(decimal('1.50'), decimal('1.5'))).toBe(0)
  expect(compareDecimals(decimal('1.49'), decimal('1.5'))).toBeLessThan(0)
  expect(compareDecimals(decimal('-1'), decimal('-2'))).toBeGreaterThan(0)
})

test('a whole number is one without a fraction', () => {
  expect(wholeNumber(decimal('3'))).toBe(3)
  expect(wholeNumber(decimal('3.00'))).toBe(3)
  expect(wholeNumber(decimal('3.5'))).toBeUndefined()
  expect(wholeNumber(decimal('1e30'))).toBeUndefined()
})
