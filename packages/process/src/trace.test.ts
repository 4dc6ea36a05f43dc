import { expect, test } from 'vitest'
import { continueTrace } from './trace.ts'

const id = '0af7651916cd43dd8448eb211c80319c'

test('a trace is continued with its flags and a span of our own', () => {
  const { traceId, traceparent } = continueTrace(`00-${id}-b7ad6b7169203331-00`)
  expect(traceId).toBe(id)
  expect(traceparent).toMatch(new RegExp(`^00-${id}-(?!b7ad6b7169203331)[0-9a-f]{16}-00$`))
})

test('a later version is read as far as it is known', () => {
  expect(continueTrace(`01-${id}-b7ad6b7169203331-01-more`).traceId).toBe(id)
})

test.each([
  undefined,
  '',
  '00',
  `ff-${id}-b7ad6b7169203331-01`,
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-${id}-${'0'.repeat(16)}-01`,
  `00-${id.toUpperCase()}-b7ad6b7169203331-01`,
])('%j begins a new trace', (header) => {
  const { traceId, traceparent } = continueTrace(header)
  expect(traceId).not.toBe(id)
  expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test('ten thousand traces are ten thousand different ones', () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => continueTrace(undefined).traceId))
  expect(ids.size).toBe(10_000)
})
