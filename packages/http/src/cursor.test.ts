import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

const schema = Type.Tuple([Type.String({ maxLength: 30 }), Type.Integer({ minimum: 0 })])

test('a cursor comes back as it went', () => {
  expect(decodeCursor(schema, encodeCursor(['2026-01-01T00:00:00Z', 7]))).toEqual(['2026-01-01T00:00:00Z', 7])
})

test.each([
  ['nothing', ''],
  ['no JSON', 'abcd'],
  ["another list's", encodeCursor({ page: 2 })],
  ['a negative number', encodeCursor(['x', -1])],
  ['too many parts', encodeCursor(['x', 1, 2])],
  ['endless text', encodeCursor(['x'.repeat(2_000), 1])],
])('%s is refused as a cursor', (_case, cursor) => {
  expect(() => decodeCursor(schema, cursor)).toThrow(expect.objectContaining({ slug: 'invalid-cursor', status: 400 }))
})
