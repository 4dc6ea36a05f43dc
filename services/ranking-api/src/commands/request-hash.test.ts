import { expect, test } from 'vitest'
import { canonicalJson, requestHash } from './request-hash.ts'

test('the order of keys does not count, the order of elements does', () => {
  expect(canonicalJson({ b: 1, a: { d: [2, 1], c: 'x' } })).toBe('{"a":{"c":"x","d":[2,1]},"b":1}')
  expect(requestHash({ a: 1, b: 2 })).toEqual(requestHash({ b: 2, a: 1 }))
  expect(requestHash({ a: [1, 2] })).not.toEqual(requestHash({ a: [2, 1] }))
})

test('absent is left out and null is not', () => {
  expect(requestHash({ rating: undefined })).toEqual(requestHash({}))
  expect(requestHash({ rating: null })).not.toEqual(requestHash({}))
})
