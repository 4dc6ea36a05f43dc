import { describe, expect, test } from 'vitest'
import { expectExactlyOnce, expectNoGaps, expectOrderPerKey } from './order.ts'

describe('expectNoGaps', () => {
  test('accepts a run from its start', () => {
    expectNoGaps([1, 2, 3])
    expectNoGaps([7, 8], { from: 7 })
    expectNoGaps([])
  })
  test.each([
    ['a gap', [1, 3]],
    ['a repeat', [1, 2, 2, 3]],
    ['a swap', [1, 3, 2]],
    ['a late start', [2, 3]],
  ])('refuses %s', (_title, sequences) => {
    expect(() => expectNoGaps(sequences)).toThrow(/was due at index/)
  })
})

describe('expectOrderPerKey', () => {
  const of = { key: (row: [string, number]) => row[0], sequence: (row: [string, number]) => row[1] }

  test('accepts interleaved keys and counts them', () => {
    const counts = expectOrderPerKey<[string, number]>(
      [
        ['a', 1],
        ['b', 1],
        ['a', 2],
      ],
      of,
    )
    expect([...counts]).toEqual([
      ['a', 2],
      ['b', 1],
    ])
  })
  test('refuses two rows of one key in the wrong order, and names the key', () => {
    expect(() =>
      expectOrderPerKey<[string, number]>(
        [
          ['a', 1],
          ['b', 2],
          ['b', 1],
        ],
        of,
      ),
    ).toThrow(/key b/)
  })
})

describe('expectExactlyOnce', () => {
  test('accepts any order', () => expectExactlyOnce(['b', 'a'], ['a', 'b']))
  test.each([
    ['a lost one', ['a'], /1 lost \(b/],
    ['a doubled one', ['a', 'b', 'a'], /1 doubled \(a/],
    ['a foreign one', ['a', 'b', 'c'], /1 foreign \(c/],
  ])('refuses %s', (_title, actual, message) => {
    expect(() => expectExactlyOnce(actual, ['a', 'b'])).toThrow(message)
  })
})
