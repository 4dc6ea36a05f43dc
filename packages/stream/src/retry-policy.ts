/** How something that failed for a passing reason is tried again (times in milliseconds). */
export interface RetryPolicy {
  /** Attempts after the first one; Infinity where giving up would lose something. */
  readonly maxRetries: number
  readonly retryDelay: number
  readonly backoffMultiplier: number
  readonly maxRetryDelay: number
}

/** For dependencies that are away: never gives up, and asks at least every 15 s. */
export const dependencyRetryPolicy: RetryPolicy = {
  maxRetries: Number.POSITIVE_INFINITY,
  retryDelay: 100,
  backoffMultiplier: 2,
  maxRetryDelay: 15_000,
}

/**
 * The pause before retry `attempt` (0 is the first): min(retryDelay × multiplier^attempt, maxRetryDelay), of which the
 * upper half is random, so that many consumers that lost the same database do not return to it in step.
 * `random` is from 0 to below 1.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const delayMs = Math.min(policy.retryDelay * policy.backoffMultiplier ** attempt, policy.maxRetryDelay)
  return Math.round(delayMs * (0.5 + random / 2))
}
