/**
 * W3C Trace Context, version 00. The context of the work at hand travels in an AsyncLocalStorage, so that every log
 * line and every record written on behalf of a request carries the request's trace without passing it by hand.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'

/** The trace that a piece of work belongs to. */
export interface Trace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** The whole header to pass on: our own span as parent. */
  readonly traceparent: string
}

const storage = new AsyncLocalStorage<Trace>()
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/

/** Runs `work` so that `currentTrace`, there and in everything it awaits, is `trace`. */
export function runInTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work)
}

/** The trace of the work at hand; `undefined` outside of any. */
export function currentTrace(): Trace | undefined {
  return storage.getStore()
}

/** Continues the trace of an incoming `traceparent` header with a span of our own, or begins one when it is not valid. */
export function continueTrace(traceparent: string | undefined): Trace {
  const match = traceparent === undefined ? null : traceparentPattern.exec(traceparent)
  const traceId = match?.[1] ?? randomHex(16)
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-${match?.[2] ?? '01'}` }
}

// Random bytes are drawn in blocks: one system call per id shows up in the profile of a busy server.
const block = Buffer.alloc(4_096)
let used = block.length

function randomHex(byteCount: number): string {
  if (used + byteCount > block.length) {
    randomFillSync(block)
    used = 0
  }
  const hex = block.toString('hex', used, used + byteCount)
  used += byteCount
  return hex
}
