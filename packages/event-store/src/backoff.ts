/** Waiting longer after each failure: `first × 2^n`, at most `max`, with full jitter so that many do not retry in step. */
export interface Backoff {
  /** The next pause in milliseconds. */
  next(): number
  /** Called after a success. */
  reset(): void
}

export function createBackoff(firstMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  let failures = 0
  return {
    next() {
      const ceiling = Math.min(maxMs, firstMs * 2 ** failures)
      failures = Math.min(failures + 1, 30)
      return Math.max(1, Math.round(ceiling * (0.5 + random() / 2)))
    },
    reset() {
      failures = 0
    },
  }
}
