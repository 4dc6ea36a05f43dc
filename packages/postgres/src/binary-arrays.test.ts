import { describe, expect, test } from 'vitest'
import { binaryArray } from './binary-arrays.ts'

function build(type: keyof typeof binaryArray, values: readonly unknown[], countMax = values.length): string {
  const array = binaryArray[type](countMax)
  for (const value of values) array.add(value as never)
  return array.finish().toString('hex')
}

describe('binary arrays', () => {
  test('an array is its header and its elements', () => {
    const header = '00000001' + '00000001' + '00000015' + '00000003' + '00000001'
    const elements = '00000002' + '0001' + 'ffffffff' + '00000002' + 'ffff'
    expect(build('smallint', [1, null, -1])).toBe(header + elements)
  })

  test('no elements is an array without dimensions', () => {
    expect(build('uuid', [])).toBe('00000000' + '00000001' + '00000b86')
  })

  test.each([
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-0000000000011'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000g'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000é'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-0000000000€1'], /not a UUID/],
    ['uuid', ['0192d3b4x0000-7000-8000-000000000001'], /not a UUID/],
    ['smallint', [32_768], /16 bits/],
    ['smallint', [0.5], /16 bits/],
    ['integer', [Number.NaN], /32 bits/],
    ['integer', [1.5], /32 bits/],
    ['integer', [2 ** 31], /32 bits/],
    ['bigint', [2 ** 53], /safe integer/],
    ['bigint', [2n ** 63n], /does not fit/],
    ['timestampMs', [Number.NaN], /not a time/],
    ['timestampMs', [8.64e15], /not a time/],
  ] as const)('%s refuses %s', (type, values, message) => {
    expect(() => build(type, values)).toThrow(message)
  })

  test('more elements than announced make room for themselves', () => {
    const values = Array.from({ length: 50 }, (_, index) => (index % 3 === 0 ? null : 'é'.repeat(index)))
    expect(build('text', values, 1)).toBe(build('text', values, 5_000))
  })
})
