import type { Session } from '@bellyfed/postgres'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { wakeRelay } from './relay-waker.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function countingSession(notify: () => Promise<void>): Session {
  return { notify } as unknown as Session
}

test('many commits within the gap share one notification, and the last of them is announced', async () => {
  const notify = vi.fn(async () => {})
  const wake = wakeRelay(countingSession(notify), 'relay_x', { gapMsMin: 10 })
  for (let commit = 0; commit < 100; commit++) wake()
  expect(notify).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(10)
  expect(notify).toHaveBeenCalledTimes(2)
  await vi.advanceTimersByTimeAsync(100)
  expect(notify).toHaveBeenCalledTimes(2)
})

test('a slow notification is never joined by a second one', async () => {
  const answers: (() => void)[] = []
  const notify = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)))
  const wake = wakeRelay(countingSession(notify), 'relay_x', { gapMsMin: 10 })
  wake()
  await vi.advanceTimersByTimeAsync(50)
  wake()
  expect(notify).toHaveBeenCalledTimes(1)
  answers[0]?.()
  await vi.advanceTimersByTimeAsync(1)
  expect(notify).toHaveBeenCalledTimes(2)
})

test('a notification that fails disturbs nobody', async () => {
  const notify = vi.fn(() => Promise.reject(new Error('connection lost')))
  const wake = wakeRelay(countingSession(notify), 'relay_x', { gapMsMin: 10 })
  wake()
  await vi.advanceTimersByTimeAsync(20)
  wake()
  expect(notify).toHaveBeenCalledTimes(2)
})
