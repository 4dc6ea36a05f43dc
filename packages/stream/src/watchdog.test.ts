import { expect, test } from 'vitest'
import { Watchdog, type Watched } from './watchdog.ts'

const stuck: Watched = {
  topic: 'dish-rankings',
  partition: 0,
  position: 5n,
  endOffset: 9n,
  isWriting: false,
  isExcused: false,
}

/** Looks every 10 s from 0 on; answers what was said each time. */
function looks(watchdog: Watchdog, count: number, partition: (look: number) => Partial<Watched>, fromMs = 0): string[] {
  return Array.from({ length: count }, (_, look) => {
    return watchdog.look(fromMs + look * 10_000, [{ ...stuck, ...partition(look) }]).kind
  })
}

test('lag without progress for a minute restarts the client once, and gives up a minute later', () => {
  const said = looks(new Watchdog(60_000), 13, () => ({}))
  expect(said.indexOf('restart')).toBe(6)
  expect(said.filter((kind) => kind === 'restart')).toHaveLength(1)
  expect(said.indexOf('give-up')).toBe(12)
})

test.each([
  ['it moves', (look: number) => ({ position: BigInt(look), endOffset: 1_000n })],
  ['there is no lag', () => ({ position: 9n })],
  ['a transaction is in flight', () => ({ isWriting: true })],
  ['a dependency is away', () => ({ isExcused: true })],
  ['the broker cannot be asked', () => ({ endOffset: undefined })],
])('a partition is not stuck while %s', (_what, partition) => {
  expect(new Set(looks(new Watchdog(60_000), 30, partition))).toEqual(new Set(['fine']))
})

test('being excused once in a while clears the suspicion', () => {
  const said = looks(new Watchdog(60_000), 30, (look) => ({ isExcused: look % 5 === 0 }))
  expect(new Set(said)).toEqual(new Set(['fine']))
})

test('a partition that moved after the restart is restarted for again, not given up', () => {
  const watchdog = new Watchdog(60_000)
  expect(looks(watchdog, 7, () => ({})).at(-1)).toBe('restart')
  const later = looks(watchdog, 20, () => ({ position: 7n }), 70_000)
  expect(later).toContain('restart')
  expect(later.slice(0, later.indexOf('restart'))).not.toContain('give-up')
})

test('a loop that was begun anew and has not loaded its position yet counts as stuck on', () => {
  const said = looks(new Watchdog(60_000), 13, (look) => (look === 7 ? { position: undefined } : {}))
  expect(said.at(-1)).toBe('give-up')
})
