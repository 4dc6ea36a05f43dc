/**
 * Waiting for facts. The one place in the project where a test's waiting is done by looking again: a test states the
 * fact it waits for and a bound, never a duration to sleep.
 */

const waitMsFirst = 2
const waitMsMax = 100

export interface EventuallyOptions {
  /** How long the fact may take, in milliseconds. Generous by default: a slow machine is not a fault. */
  timeoutMs?: number
  /** What is being waited for, in words, for the message of the failure. */
  what: string
}

/** The fact did not come true in time. `cause` is the last error that the check threw, if it threw one. */
export class NotInTime extends Error {
  override name = 'NotInTime'
}

/**
 * Runs `check` until it returns something other than `false` or `undefined` without throwing, and returns that. An
 * assertion that throws counts as "not yet". Looks again after 2 ms at first, then less often, at most every 100 ms.
 * Throws `NotInTime` when the bound passes; a check that hangs is cut off by the same bound.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 20_000, what }: EventuallyOptions,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + timeoutMs
  let waitMs = waitMsFirst
  let last: unknown
  for (;;) {
    const attempt = await settled(check, Math.max(1, deadline - performance.now()))
    if (attempt.kind === 'value' && attempt.value !== false && attempt.value !== undefined) {
      return attempt.value as Exclude<T, false | undefined>
    }
    last = attempt.kind === 'error' ? attempt.error : attempt.kind === 'value' ? attempt.value : 'the check itself hung'
    if (performance.now() + waitMs >= deadline) throw notInTime(what, timeoutMs, last)
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    waitMs = Math.min(waitMs * 1.5, waitMsMax)
  }
}

type Attempt<T> = { kind: 'value'; value: T } | { kind: 'error'; error: unknown } | { kind: 'hung' }

async function settled<T>(check: () => T | Promise<T>, remainingMs: number): Promise<Attempt<T>> {
  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<Attempt<T>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'hung' }), remainingMs)
  })
  const run = async (): Promise<Attempt<T>> => {
    try {
      return { kind: 'value', value: await check() }
    } catch (error) {
      return { kind: 'error', error }
    }
  }
  try {
    return await Promise.race([run(), hung])
  } finally {
    clearTimeout(timer)
  }
}

function notInTime(what: string, timeoutMs: number, last: unknown): NotInTime {
  const detail = last instanceof Error ? last.message : String(last)
  return new NotInTime(`Not within ${timeoutMs} ms: ${what}. Last seen: ${detail}`, { cause: last })
}
