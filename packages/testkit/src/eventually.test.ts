import { describe, expect, test } from 'vitest'
import { eventually, NotInTime } from './eventually.ts'

describe('eventually', () => {
  test('returns the first value that is neither false nor undefined', async () => {
    const answers = [undefined, false, 0]
    expect(await eventually(() => answers.shift(), { what: 'an answer' })).toBe(0)
  })

  test('takes a failing assertion as "not yet"', async () => {
    let looks = 0
    const check = () => {
      looks += 1
      expect(looks).toBeGreaterThan(2)
      return 'seen'
    }
    expect(await eventually(check, { what: 'a third look' })).toBe('seen')
  })

  test('fails in words, with the last error as cause, when the fact does not come', async () => {
    const fault = new Error('the row is not there')
    const waiting = eventually(() => Promise.reject(fault), { timeoutMs: 20, what: 'the row is written' })
    await expect(waiting).rejects.toThrow(/Not within 20 ms: the row is written. Last seen: the row is not there/)
    await expect(waiting).rejects.toMatchObject({ cause: fault })
    await expect(waiting).rejects.toBeInstanceOf(NotInTime)
  })

  test('cuts off a check that never answers', async () => {
    const never = () => new Promise<boolean>(() => undefined)
    await expect(eventually(never, { timeoutMs: 20, what: 'an answer' })).rejects.toThrow(/the check itself hung/)
  })
})
