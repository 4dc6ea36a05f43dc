import { describe, expect, test } from 'vitest'
import { type Bar, judge, measure, median, quantile } from './bar.ts'

const bar = { name: 'decode', unit: 'records/s', floor: { ratioToLimit: 0.9, ratioToNaive: 2 } }

describe('judge', () => {
  test('takes the median of the rounds own ratios, not the ratio of the medians', () => {
    const rounds = [
      { ours: 10, limit: 10, naive: 1 },
      { ours: 100, limit: 200, naive: 10 },
      { ours: 1000, limit: 1000, naive: 100 },
    ]
    expect(judge(bar, rounds)).toMatchObject({ ours: 100, limit: 200, ratioToLimit: 1, ratioToNaive: 10, holds: true })
  })

  test('does not hold when either ratio is under its floor', () => {
    expect(judge(bar, [{ ours: 89, limit: 100, naive: 1 }]).holds).toBe(false)
    expect(judge(bar, [{ ours: 95, limit: 100, naive: 94 }]).holds).toBe(false)
    expect(judge({ ...bar, floor: {} }, [{ ours: 1, limit: 100, naive: 94 }]).holds).toBe(true)
  })
})

test('a bar of times holds when ours takes at most so many times the limit', () => {
  const times = { ...bar, isLowerBetter: true, floor: { ratioToLimit: 1 / 1.5 } }
  expect(judge(times, [{ ours: 3, limit: 2, naive: 30 }])).toMatchObject({ ratioToNaive: 10, holds: true })
  expect(judge(times, [{ ours: 3.1, limit: 2, naive: 30 }]).holds).toBe(false)
})

test('median and quantile refuse an empty list', () => {
  expect(median([3, 1, 2, 4])).toBe(2.5)
  expect(quantile([5, 1, 3], 0.99)).toBe(5)
  expect(quantile([5, 1, 3], 0.5)).toBe(3)
  expect(() => median([])).toThrow(RangeError)
  expect(() => quantile([], 0.5)).toThrow(RangeError)
})

test('measure warms up once, lets all three ways take turns, and closes', async () => {
  const calls: string[] = []
  const way = (name: string) => (round: number) => {
    calls.push(`${name}${round}`)
    return Promise.resolve(1)
  }
  const measured: Bar = {
    ...bar,
    prepare: () =>
      Promise.resolve({
        ours: way('o'),
        limit: way('l'),
        naive: way('n'),
        close: async () => void calls.push('closed'),
      }),
  }
  const result = await measure(measured, { quick: true, parts: () => Promise.reject(new Error('not needed')) }, 2)
  expect(result.rounds).toBe(2)
  expect(calls).toEqual(['o-1', 'l-1', 'n-1', 'l0', 'n0', 'o0', 'n1', 'o1', 'l1', 'closed'])
})
