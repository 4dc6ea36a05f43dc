import { expect, test } from 'vitest'
import { backoffMs, dependencyRetryPolicy } from './retry-policy.ts'

const policy = { maxRetries: 10, retryDelay: 100, backoffMultiplier: 2, maxRetryDelay: 1_500 }

test('the pause is min(retryDelay × multiplier^n, maxRetryDelay), its upper half random', () => {
  const almostOne = 1 - Number.EPSILON
  expect([0, 1, 2, 3, 4, 9].map((attempt) => backoffMs(policy, attempt, almostOne))).toEqual([
    100, 200, 400, 800, 1_500, 1_500,
  ])
  expect([0, 1, 4].map((attempt) => backoffMs(policy, attempt, 0))).toEqual([50, 100, 750])
})

test('a dependency that is away for days is asked on, at least every 15 s', () => {
  expect(dependencyRetryPolicy.maxRetries).toBe(Number.POSITIVE_INFINITY)
  expect(backoffMs(dependencyRetryPolicy, 5_000, 0.999)).toBeLessThanOrEqual(15_000)
})
