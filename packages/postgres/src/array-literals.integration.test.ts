/** The server's own reading of each literal is what the literal must mean. */
import { testPlatform } from '@bellyfed/testkit'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { arrayOf } from './array-literals.ts'
import type { Pool } from './pool.ts'
import { inlineStatement } from './statement.ts'

const platform = testPlatform()
let pool: Pool

beforeAll(async () => {
  const database = await platform.database([{ schema: 'literals', migrations: [] }])
  pool = await database.pool('literals')
})

/** Reads a literal back, element by element, in a form that cannot hide a difference. */
async function readBack<Value>(type: string, literal: string, expression = 'element'): Promise<Value[]> {
  const sql = inlineStatement(
    'read-back',
    `select ${expression} as value from unnest($1::${type}[]) with ordinality as elements (element, place) order by place`,
  )
  const { rows } = await pool.query<{ value: Value }>(sql, [literal])
  return rows.map((row) => row.value)
}

const runs = { numRuns: 150 }
const nullable = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.array(fc.option(arbitrary), { maxLength: 20 })

// What would end, split or escape an element, and a little of everything else. U+0000 cannot be stored.
const texts = fc
  .array(fc.oneof(fc.constantFrom('"', '\\', ',', '{', '}', 'NULL', ' ', '\n', "'", '\u{1f35c}'), fc.string()), {
    maxLength: 6,
  })
  .map((parts) => parts.join('').replaceAll('\0', ''))

test('text', () =>
  fc.assert(
    fc.asyncProperty(nullable(texts), async (values) => {
      expect(await readBack('text', arrayOf.text(values))).toEqual(values)
    }),
    runs,
  ))

test('uuid', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.uuid()), async (values) => {
      expect(await readBack('uuid', arrayOf.uuid(values))).toEqual(values)
    }),
    runs,
  ))

test('bytea', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.uint8Array()), async (values) => {
      const expected = values.map((value) => (value === null ? null : Buffer.from(value)))
      expect(await readBack('bytea', arrayOf.bytea(values))).toEqual(expected)
    }),
    runs,
  ))

test('a view of a larger buffer writes its own bytes only', async () => {
  const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  expect(await readBack('bytea', arrayOf.bytea([view]))).toEqual([Buffer.from([2, 3])])
})

test('integer', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.integer()), async (values) => {
      expect(await readBack('integer', arrayOf.integer(values))).toEqual(values)
    }),
    runs,
  ))

test('bigint', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), async (values) => {
      expect(await readBack('bigint', arrayOf.bigint(values))).toEqual(values)
    }),
    runs,
  ))

test('double precision', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.double()), async (values) => {
      const expected = values.map((value) => (value === null ? null : String(value)))
      expect(await readBack('double precision', arrayOf.double(values))).toEqual(
        expected.map((text) => text && Number(text)),
      )
    }),
    runs,
  ))

test('boolean', () =>
  fc.assert(
    fc.asyncProperty(nullable(fc.boolean()), async (values) => {
      expect(await readBack('boolean', arrayOf.boolean(values))).toEqual(values)
    }),
    runs,
  ))

test('timestamptz from epoch milliseconds, years 1 to 9999', () =>
  fc.assert(
    fc.asyncProperty(
      nullable(fc.integer({ min: Date.parse('0001-01-01T00:00:00.000Z'), max: Date.UTC(9999, 11, 31) })),
      async (values) => {
        const milliseconds = '(extract(epoch from element) * 1000)::bigint'
        const expected = values.map((value) => (value === null ? null : BigInt(value)))
        expect(await readBack('timestamptz', arrayOf.timestampMs(values), milliseconds)).toEqual(expected)
      },
    ),
    runs,
  ))

// Keys need no escape: JSON.parse of Node 24.21 reads the key "\\n" as "\\" after it has seen an object with the key "\\".
const keys = fc.constantFrom('a', 'b c', "o'clock", '{', ',', '\u{1f35c}')

test('jsonb', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(keys, texts), { maxLength: 5 }), async (values) => {
      expect(await readBack('jsonb', arrayOf.json(values))).toEqual(values)
    }),
    runs,
  ))
