import { expect, test } from 'vitest'
import { HorizonWatch } from './horizon.ts'

function watchAt(): { watch: HorizonWatch; advance: (ms: number) => void } {
  let nowMs = 0
  return {
    watch: new HorizonWatch(1_000, () => nowMs),
    advance: (ms) => {
      nowMs += ms
    },
  }
}

test('the age counts from when rows were first seen to wait for a horizon', () => {
  const { watch, advance } = watchAt()
  watch.see(5n)
  advance(300)
  watch.see(5n)
  expect(watch.ageMs).toBe(300)
})

test('a horizon that moves on is young again', () => {
  const { watch, advance } = watchAt()
  watch.see(5n)
  advance(900)
  watch.see(6n)
  advance(900)
  expect([watch.see(6n), watch.ageMs]).toEqual([false, 900])
})

test('the alarm is raised once for each horizon that stays too long', () => {
  const { watch, advance } = watchAt()
  watch.see(5n)
  advance(1_000)
  expect([watch.see(5n), watch.see(5n)]).toEqual([true, false])
  watch.see(6n)
  advance(1_000)
  expect(watch.see(6n)).toBe(true)
})

test('a horizon that nobody waits for has no age', () => {
  const { watch, advance } = watchAt()
  watch.see(5n)
  advance(500)
  watch.see(undefined)
  expect(watch.ageMs).toBe(0)
})
