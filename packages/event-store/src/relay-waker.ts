/**
 * Waking the relay after a commit. Never inside the transaction: NOTIFY takes a lock that serialises commits. Many
 * commits share one notification: after one was sent the next waits out a minimum gap, and never more than one is on its
 * way. A lost notification costs the relay's poll interval, nothing else, so failures are not errors here.
 */
import type { Pool, Session } from '@bellyfed/postgres'
import type { Logger, Part } from '@bellyfed/process'
import { createBackoff } from './backoff.ts'

/** The channel that a schema's relays listen to. */
export function relayChannel(schema: string): string {
  return `relay_${schema}`
}

/** Sends notifications over a session, coalesced. Returns the function to call after each commit; it never throws. */
export function wakeRelay(session: Session, channel: string, options: { gapMsMin?: number } = {}): () => void {
  const gapMsMin = options.gapMsMin ?? 2
  let isWanted = false
  let isBusy = false

  const release = (sentAtMs: number): void => {
    const restMs = gapMsMin - (performance.now() - sentAtMs)
    if (restMs > 0) {
      setTimeout(() => release(sentAtMs), restMs)
      return
    }
    isBusy = false
    if (isWanted) send()
  }
  const send = (): void => {
    isWanted = false
    isBusy = true
    const sentAtMs = performance.now()
    session.notify(channel).then(
      () => release(sentAtMs),
      () => release(sentAtMs),
    )
  }
  return () => {
    isWanted = true
    if (!isBusy) send()
  }
}

export interface RelayWaker extends Part {
  /** Call after a COMMIT that appended events. Returns at once and never throws. */
  wake(): void
}

/** A waker with a connection of its own, opened again with backoff when it is lost. */
export function createRelayWaker(options: { pool: Pool; log: Logger; gapMsMin?: number }): RelayWaker {
  const { pool, log } = options
  const channel = relayChannel(pool.schema)
  const backoff = createBackoff(100, 5_000)
  let session: Session | undefined
  let notify: (() => void) | undefined
  let reopening: NodeJS.Timeout | undefined
  let isStopped = false

  const open = async (): Promise<void> => {
    const opened = await pool.session()
    if (isStopped) {
      await opened.close()
      return
    }
    session = opened
    notify = wakeRelay(opened, channel, options)
    backoff.reset()
    opened.onEnd((error) => {
      notify = undefined
      if (!error || isStopped) return
      log.warn({ err: error }, 'the connection that wakes the relay was lost')
      reopen()
    })
  }
  const reopen = (): void => {
    reopening = setTimeout(() => {
      open().catch((error: unknown) => {
        log.warn({ err: error }, 'the relay cannot be woken: no connection')
        if (!isStopped) reopen()
      })
    }, backoff.next())
  }
  return {
    name: 'relay waker',
    start: open,
    async stop() {
      isStopped = true
      clearTimeout(reopening)
      await session?.close()
    },
    wake() {
      notify?.()
    },
  }
}
