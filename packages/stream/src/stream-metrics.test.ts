import { expect, test } from 'vitest'
import { MinuteWindow } from './stream-metrics.ts'

test('throughput, latency and error rate are of the last minute only', () => {
  const window = new MinuteWindow()
  window.addWritten(0, { records: 6_000, dead: 6_000, latencyMsMean: 10_000 })
  window.addWritten(61_000, { records: 300, dead: 3, latencyMsMean: 10 })
  window.addWritten(62_000, { records: 300, dead: 0, latencyMsMean: 30 })
  expect(window.summary(62_500)).toEqual({ throughput: 10, latency: 20, errorRate: 0.005 })
})

test('failed attempts raise the error rate though no record is lost', () => {
  const window = new MinuteWindow()
  window.addWritten(0, { records: 10, dead: 0, latencyMsMean: 1 })
  window.addFailure(10)
  expect(window.summary(20).errorRate).toBe(0.5)
})
