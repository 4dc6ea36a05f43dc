import { testPlatform } from '@bellyfed/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrayOf } from './array-literals.ts'
import { binaryArray } from './binary-arrays.ts'
import { inlineStatement } from './statement.ts'

const database = await testPlatform().database([])
const pool = await database.ownerPool('public')

const timeMs = fc.integer({ min: Date.parse('0001-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') })
const word = fc.string({ unit: 'grapheme', maxLength: 80 }).filter((text) => !text.includes('\0'))
const elements = {
  uuid: ['uuid', fc.uuid()],
  text: ['text', word],
  smallint: ['integer', fc.integer({ min: -32_768, max: 32_767 })],
  integer: ['integer', fc.integer()],
  bigint: ['bigint', fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))],
  timestampMs: ['timestampMs', timeMs],
} as const

describe('binary arrays', () => {
  test.each(Object.keys(elements) as (keyof typeof elements)[])('%s says what its text form says', async (type) => {
    const [textType, arbitrary] = elements[type]
    const cast = type === 'timestampMs' ? 'timestamptz' : type
    const compare = inlineStatement('compare', `select $1::${cast}[] is not distinct from $2::${cast}[] as same`)
    const values = fc.array(fc.option(arbitrary as fc.Arbitrary<never>), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(values, async (array) => {
        const binary = binaryArray[type](array.length)
        for (const element of array) binary.add(element)
        const { rows } = await pool.query(compare, [binary.finish(), arrayOf[textType](array)])
        expect(rows).toEqual([{ same: true }])
      }),
      { numRuns: 100 },
    )
  })
})
