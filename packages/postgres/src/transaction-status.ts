/**
 * What became of a transaction whose COMMIT was not answered. PostgreSQL remembers it for as long as its transaction
 * log does, far longer than any retry.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Queryable } from './connection.ts'
import { isTransient } from './errors.ts'
import { inlineStatement } from './statement.ts'

export type TransactionStatus = 'committed' | 'aborted' | 'in progress'

const selectStatus = inlineStatement('xact-status', 'select pg_xact_status($1::xid8) as status')

/** The transaction's status now; undefined when it is older than the server remembers. */
export async function transactionStatus(q: Queryable, xid: bigint): Promise<TransactionStatus | undefined> {
  const { rows } = await q.query<{ status: TransactionStatus | null }>(selectStatus, [xid])
  return rows[0]?.status ?? undefined
}

/**
 * Waits until the transaction has ended, through a database that may be away meanwhile. The server may not have noticed
 * yet that the connection died, so `in progress` is asked again every `pollMs`.
 * Throws when the outcome is still open after `timeoutMs`.
 */
export async function settledTransactionStatus(
  q: Queryable,
  xid: bigint,
  options: { timeoutMs: number; pollMs?: number },
): Promise<'committed' | 'aborted'> {
  const deadlineMs = performance.now() + options.timeoutMs
  for (;;) {
    try {
      const status = await transactionStatus(q, xid)
      if (status === 'committed' || status === 'aborted') return status
      if (status === undefined) throw new Error(`the server no longer knows transaction ${xid}`)
    } catch (error) {
      if (!isTransient(error)) throw error
    }
    if (performance.now() >= deadlineMs) {
      throw new Error(`the outcome of transaction ${xid} is still open after ${options.timeoutMs} ms`)
    }
    await pause(options.pollMs ?? 20)
  }
}
