import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AlarmClock } from './alarm-clock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a sleep ends after its time', async () => {
  const sleeping = new AlarmClock().sleep(1_000)
  await vi.advanceTimersByTimeAsync(1_000)
  await expect(sleeping).resolves.toBeUndefined()
})

test('a ring ends a sleep', async () => {
  const clock = new AlarmClock()
  const sleeping = clock.sleep(1_000_000)
  clock.ring()
  await expect(sleeping).resolves.toBeUndefined()
  expect(vi.getTimerCount()).toBe(0)
})

test('a ring before the sleep ends it at once, but only that one', async () => {
  const clock = new AlarmClock()
  clock.ring()
  await clock.sleep(1_000_000)
  let isAwake = false
  void clock.sleep(1_000).then(() => {
    isAwake = true
  })
  await vi.advanceTimersByTimeAsync(999)
  expect(isAwake).toBe(false)
})

test('a ring that was cleared ends nothing', async () => {
  const clock = new AlarmClock()
  clock.ring()
  clock.clear()
  let isAwake = false
  void clock.sleep(1_000).then(() => {
    isAwake = true
  })
  await vi.advanceTimersByTimeAsync(999)
  expect(isAwake).toBe(false)
})
