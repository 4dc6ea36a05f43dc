import { describe, expect, test } from 'vitest'
import { binaryArrayOf } from './binary-arrays.ts'

describe('binary arrays', () => {
  test('an array is its header and its elements', () => {
    const header = '00000001' + '00000001' + '00000015' + '00000003' + '00000001'
    const elements = '00000002' + '0001' + 'ffffffff' + '00000002' + 'ffff'
    expect(binaryArrayOf.smallint([1, null, -1]).toString('hex')).toBe(header + elements)
  })

  test('no elements is an array without dimensions', () => {
    expect(binaryArrayOf.uuid([]).toString('hex')).toBe('00000000' + '00000001' + '00000b86')
  })

  test.each([
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-0000000000011'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000g'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-00000000000é'], /not a UUID/],
    ['uuid', ['0192d3b4-0000-7000-8000-0000000000€1'], /not a UUID/],
    ['uuid', ['0192d3b4x0000-7000-8000-000000000001'], /not a UUID/],
    ['smallint', [32_768], /16 bits/],
    ['integer', [1.5], /32 bits/],
    ['integer', [2 ** 31], /32 bits/],
    ['bigint', [2 ** 53], /safe integer/],
    ['bigint', [2n ** 63n], /does not fit/],
    ['timestampMs', [Number.NaN], /not a time/],
    ['timestampMs', [8.64e15], /not a time/],
  ] as const)('%s refuses %s', (type, values, message) => {
    const write = binaryArrayOf[type] as (values: readonly unknown[]) => Buffer
    expect(() => write(values)).toThrow(message)
  })
})
