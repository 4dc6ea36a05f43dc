import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EventPosition, formatPosition, isAtOrBelow, parsePosition } from './event-position.ts'
import { Marks } from './marks.ts'

const at = (xid: number, position: number, source = 'ranking-api', epoch = 1): EventPosition => ({
  source,
  epoch: BigInt(epoch),
  xid: BigInt(xid),
  position: BigInt(position),
})

test('transaction ids come before positions in the order', () => {
  expect(isAtOrBelow(at(5, 9), at(6, 1))).toBe(true)
  expect(isAtOrBelow(at(6, 1), at(5, 9))).toBe(false)
  expect(isAtOrBelow(at(5, 9), at(5, 9))).toBe(true)
})

test('a mark is passed at and below it, never above, and never falls', () => {
  const marks = new Marks([at(5, 5)])
  expect(marks.pass(at(4, 9))).toBe(false)
  expect(marks.pass(at(5, 5))).toBe(false)
  expect(marks.pass(at(5, 6))).toBe(true)
  expect(marks.pass(at(5, 6))).toBe(false)
})

test('sources and epochs do not compare with each other', () => {
  const marks = new Marks([at(5, 5)])
  expect(marks.pass(at(1, 1, 'badges'))).toBe(true)
  expect(marks.pass(at(1, 1, 'ranking-api', 2))).toBe(true)
  expect(marks.pass(at(5, 5))).toBe(false)
  expect(marks.pass(at(9, 9))).toBe(true)
  expect(marks.pass(at(1, 1, 'badges'))).toBe(false)
  expect(marks.pass(at(9, 9))).toBe(false)
})

/** Two relays, each sending all positions in order from 1 on, interleaved in any way: the second begins when it likes. */
const sends = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.array(fc.boolean(), { maxLength: 60 }))
  .map(([count, turns]) => {
    const next: [number, number] = [1, 1]
    const sent: number[] = []
    for (const turn of [...turns, ...Array<boolean>(count).fill(true)]) {
      const relay = turn ? 0 : 1
      if (next[relay] <= count) sent.push(next[relay]++)
    }
    return { count, sent }
  })

test('whatever two relays send, each event passes once and in order', () => {
  fc.assert(
    fc.property(sends, ({ count, sent }) => {
      const marks = new Marks()
      const passed = sent.filter((position) => marks.pass(at(1, position)))
      expect(passed).toEqual(Array.from({ length: count }, (_, index) => index + 1))
    }),
  )
})

test('a position header is read as it was written', () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9-]{1,64}$/), number, number, number, (source, epoch, xid, position) => {
      const given = { source, epoch, xid, position }
      expect(parsePosition(Buffer.from(formatPosition(given)))).toEqual(given)
    }),
  )
})

test.each([
  '',
  'ranking-api',
  'ranking-api/1/2',
  'ranking-api/1/2/',
  'ranking-api/1/2/x',
  'ranking-api/1/-2/3',
  'ranking-api/1/2/9223372036854775808',
  'ranking-api/99999999999999999999/2/3',
  'Ranking API/1/2/3',
  'a/ranking-api/1/2/3',
  '/1/2/3',
])('%j is no position header', (header) => {
  expect(parsePosition(Buffer.from(header))).toBeUndefined()
})
