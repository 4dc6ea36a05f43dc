import { expect, test } from 'vitest'
import { Problem } from './problem.ts'
import { awaitReceipt, decodeReceipt, encodeReceipt, type ReceiptState } from './receipt.ts'

const receipt = { source: 'ranking-api', epoch: 2, xid: 18_446_744_073n, position: 9_007_199_254_740_993n, key: 'k' }

test('a receipt survives its way through a URL, beyond what a number can hold', () => {
  const word = encodeReceipt(receipt)
  expect(word).toMatch(/^[A-Za-z0-9_-]+$/)
  expect(decodeReceipt(word)).toEqual(receipt)
})

test.each([
  ['nothing', ''],
  ['no base64url', '!!'],
  ['no JSON', Buffer.from('[1').toString('base64url')],
  ['too few parts', word(['a', 1, '2', '3'])],
  ['a negative epoch', word(['a', -1, '2', '3', 'k'])],
  ['a number as position', word(['a', 1, '2', 3, 'k'])],
  ['a position that is none', word(['a', 1, '2', '3x', 'k'])],
  ['an empty key', word(['a', 1, '2', '3', ''])],
  ['endless text', 'A'.repeat(600)],
])('%s is refused as a receipt', (_case, value) => {
  expect(() => decodeReceipt(value)).toThrow(expect.objectContaining({ slug: 'invalid-receipt', status: 400 }))
})

test('waiting ends when the read model has passed the receipt', async () => {
  const states: ReceiptState[] = [false, false, true]
  await awaitReceipt({ receipt, passed: async () => states.shift() ?? true, timeoutMs: 5_000 })
  expect(states).toEqual([])
})

test('one that does not come in time is a 202 with Retry-After, never a stale answer', async () => {
  const refusal = await refusalOf(awaitReceipt({ receipt, passed: async () => false, timeoutMs: 20 }))
  expect(refusal).toMatchObject({ slug: 'not-yet-visible', status: 202 })
  expect(refusal.facts.headers).toEqual({ 'retry-after': '1' })
})

test('one that is held up is told at once, with the reason', async () => {
  let asked = 0
  const passed = async (): Promise<ReceiptState> => {
    asked += 1
    return { blocked: 'an event of this user is parked' }
  }
  const refusal = await refusalOf(awaitReceipt({ receipt, passed, timeoutMs: 60_000 }))
  expect(refusal.message).toContain('an event of this user is parked')
  expect(asked).toBe(1)
})

test('a client that has gone is not waited for', async () => {
  const gone = AbortSignal.abort()
  await refusalOf(awaitReceipt({ receipt, passed: async () => false, timeoutMs: 60_000, signal: gone }))
})

function word(parts: unknown): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

async function refusalOf(waiting: Promise<void>): Promise<Problem> {
  const outcome = await waiting.then(
    () => undefined,
    (fault: unknown) => fault,
  )
  if (!(outcome instanceof Problem)) throw new Error('not refused')
  return outcome
}
