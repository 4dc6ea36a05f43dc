import { expect, test } from 'vitest'
import { checkPosition, PositionLost } from './position-check.ts'

const at = { topic: 'dish-rankings', partition: 3 }
const identity = { clusterId: 'cluster', topicId: 'topic' }
const found = (start: bigint, end: bigint) => ({ ...identity, range: { start, end } })

function codeOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof PositionLost) return error.code
    throw error
  }
}

test.each([
  [10n, 10n, 20n, undefined],
  [20n, 10n, 20n, undefined],
  [0n, 0n, 0n, undefined],
  [9n, 10n, 20n, 'below-log-start'],
  [21n, 10n, 20n, 'above-log-end'],
] as const)('position %s in a log from %s to %s: %s', (nextOffset, start, end, code) => {
  expect(codeOf(() => checkPosition(at, { ...identity, nextOffset }, found(start, end)))).toBe(code)
})

test('another cluster and a recreated topic are told apart, before any offsets are compared', () => {
  const stored = { ...identity, nextOffset: 99n }
  expect(codeOf(() => checkPosition(at, stored, { ...found(0n, 5n), clusterId: 'other' }))).toBe('other-cluster')
  expect(codeOf(() => checkPosition(at, stored, { ...found(0n, 5n), topicId: 'other' }))).toBe('recreated-topic')
})

test('the error names the partition and what an operator can do', () => {
  const check = () => checkPosition(at, { ...identity, nextOffset: 5n }, found(8n, 9n))
  expect(check).toThrow(/partition 3 of dish-rankings is stopped.*3 offsets are gone.*npm run reconcile/)
})
