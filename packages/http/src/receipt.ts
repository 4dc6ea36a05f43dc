/**
 * A receipt stands for what one write has put into the event log. A client hands it to any read (`?after=`), which then
 * answers only with what includes that write, or says that it does not yet: never silently without it.
 */
import { type Problem, problem } from './problem.ts'

/** Where a write is in the log of one source, and the key its events are partitioned by. */
export interface Receipt {
  readonly source: string
  /** Raised when a log is restored from a backup; positions of different epochs do not compare. */
  readonly epoch: number
  readonly xid: bigint
  readonly position: bigint
  readonly key: string
}

const receiptLengthMax = 512
const digits = /^(?:0|[1-9]\d{0,18})$/

/** The receipt as one word that is safe in a URL. */
export function encodeReceipt({ source, epoch, xid, position, key }: Receipt): string {
  return Buffer.from(JSON.stringify([source, epoch, String(xid), String(position), key])).toString('base64url')
}

/** The receipt that a word stands for. Throws the problem `invalid-receipt` for anything else than one of ours. */
export function decodeReceipt(word: string): Receipt {
  if (word.length > receiptLengthMax) throw invalid()
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(word, 'base64url').toString('utf8'))
  } catch {
    throw invalid()
  }
  if (!Array.isArray(parts) || parts.length !== 5) throw invalid()
  const [source, epoch, xid, position, key]: unknown[] = parts
  if (typeof source !== 'string' || source === '' || typeof key !== 'string' || key === '') throw invalid()
  if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch) || epoch < 0) throw invalid()
  return { source, epoch, xid: readInteger(xid), position: readInteger(position), key }
}

function readInteger(value: unknown): bigint {
  if (typeof value !== 'string' || !digits.test(value)) throw invalid()
  return BigInt(value)
}

function invalid(): Problem {
  return problem('invalid-receipt', {
    detail: 'send the receipt of a write as it was',
    errors: [{ field: 'after', rule: 'receipt', message: 'must be a receipt', in: 'query' }],
  })
}

/** What a read model knows of a receipt: passed, not yet, or held up for a reason. */
export type ReceiptState = boolean | { readonly blocked: string }

/** How a read waits for a receipt. */
export interface AwaitReceiptOptions {
  readonly receipt: Receipt
  /** Asks the read model; asked again until it says true, the time is over, or it says what holds it up. */
  readonly passed: (receipt: Receipt) => Promise<ReceiptState>
  readonly timeoutMs: number
  /** Ends the waiting when the client has gone; a request's `signal`. */
  readonly signal?: AbortSignal
}

const pauseMsMin = 2
const pauseMsMax = 50
const blockedRetryAfterSeconds = 30

/**
 * Returns when the read model includes the receipt. Otherwise throws the problem `not-yet-visible` (202, Retry-After):
 * after `timeoutMs`, or at once when the receipt's key is held up, with the reason.
 */
export async function awaitReceipt({ receipt, passed, timeoutMs, signal }: AwaitReceiptOptions): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    const state = await passed(receipt)
    if (state === true) return
    if (state !== false) throw notYetVisible(`held up: ${state.blocked}`, blockedRetryAfterSeconds)
    const leftMs = deadlineMs - performance.now()
    if (leftMs <= 0 || signal?.aborted === true) throw notYetVisible('the write is on its way', 1)
    await pause(Math.min(pauseMs, leftMs))
  }
}

function notYetVisible(reason: string, retryAfterSeconds: number): Problem {
  return problem('not-yet-visible', { detail: reason, headers: { 'retry-after': String(retryAfterSeconds) } })
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
