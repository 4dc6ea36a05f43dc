import { expect, test } from 'vitest'
import { createBackoff } from './backoff.ts'

test('a backoff doubles up to its limit', () => {
  const backoff = createBackoff(100, 1_000, () => 1)
  expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000])
})

test('a backoff begins anew after a success', () => {
  const backoff = createBackoff(100, 1_000, () => 1)
  backoff.next()
  backoff.next()
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test('jitter takes away at most half', () => {
  expect(createBackoff(100, 1_000, () => 0).next()).toBe(50)
})
