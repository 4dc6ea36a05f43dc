import { describe, expect, test } from 'vitest'
import { arrayOf } from './array-literals.ts'

describe('array literals refuse what is not of their type', () => {
  test.each([
    ['uuid', () => arrayOf.uuid(['a,b'])],
    ['uuid with a brace behind it', () => arrayOf.uuid(['7f1b1f9e-9a52-4d62-9d8e-0c6f2a3d5b11}'])],
    ['integer', () => arrayOf.integer([1.5])],
    ['integer', () => arrayOf.integer([Number.NaN])],
    ['bigint beyond what a number holds exactly', () => arrayOf.bigint([2 ** 53])],
    ['time', () => arrayOf.timestampMs([Number.NaN])],
    ['time after the year 9999', () => arrayOf.timestampMs([Date.UTC(10_000, 0, 1)])],
    ['time before the year 1', () => arrayOf.timestampMs([Date.UTC(-1, 0, 1)])],
    ['json', () => arrayOf.json([() => 1])],
  ])('%s', (_what, write) => expect(write).toThrow(/^not a|have no JSON form/))
})

test('no elements make an empty array', () => {
  expect(arrayOf.text([])).toBe('{}')
})
