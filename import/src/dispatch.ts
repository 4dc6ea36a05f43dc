/**
 * Sends the planned rows, batch by batch, and hands over a verdict for each.
 *
 * Batches come from the BatchQueue and up to `inFlightMax` are on their way at once. A batch that the server refuses as a
 * whole is halved until the command that is at fault stands alone and is refused alone; halves go one after the other, so
 * the order holds. Rows refused for a passing reason are sent again. The first stop ends the taking of batches; those on
 * their way are waited for, so that what is reported is what happened.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ApiClient, PutCommand, Verdict } from './api-client.ts'
import { BatchQueue } from './batch-queue.ts'
import { ImportError } from './import-error.ts'
import type { PlannedRow } from './plan.ts'

/** The batch route's limit. */
const batchSizeMax = 500
/** How many rows are passed over to find users that are not busy. */
const lookAheadMax = 4 * batchSizeMax
const passingPauseMs = 250

export interface DispatchOptions {
  readonly rows: readonly PlannedRow[]
  readonly client: ApiClient
  readonly inFlightMax: number
  readonly patienceMs: number
  readonly commandOf: (row: PlannedRow) => PutCommand
  readonly onVerdict: (row: PlannedRow, verdict: Verdict) => void
  readonly signal?: AbortSignal
}

/** Ends when every row has its verdict; otherwise throws what stopped it. */
export async function dispatch(options: DispatchOptions): Promise<void> {
  const queue = new BatchQueue(options.rows, { batchSizeMax, lookAheadMax })
  const inFlight = new Set<Promise<void>>()
  const failures: unknown[] = []
  const startBatch = (): boolean => {
    if (failures.length > 0 || inFlight.size >= options.inFlightMax) return false
    if (options.signal?.aborted === true) {
      failures.push(new ImportError('stopped', 'interrupted'))
      return false
    }
    const batch = queue.take()
    if (batch.length === 0) return false
    const sending: Promise<void> = sendRows(batch, options)
      .then(() => queue.finish(batch))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => inFlight.delete(sending))
    inFlight.add(sending)
    return true
  }
  for (;;) {
    while (startBatch());
    if (inFlight.size === 0) break
    await Promise.race(inFlight)
  }
  if (failures.length > 0) throw failures[0]
}

/** Sends rows until each has a verdict that lasts. */
async function sendRows(rows: readonly PlannedRow[], options: DispatchOptions): Promise<void> {
  const startedAtMs = performance.now()
  let left = rows
  while (left.length > 0) {
    const { passing, detail } = await sendOnce(left, options)
    if (passing.length === left.length && performance.now() - startedAtMs > options.patienceMs) {
      throw new ImportError(
        'stopped',
        `rankings were refused for longer than ${options.patienceMs / 1000} s; last: ${detail}`,
      )
    }
    left = passing
    if (left.length > 0) await pause(passingPauseMs)
  }
}

interface Passing {
  /** Rows that were refused for a passing reason, in order. */
  readonly passing: readonly PlannedRow[]
  readonly detail: string
}

async function sendOnce(rows: readonly PlannedRow[], options: DispatchOptions): Promise<Passing> {
  const answer = await options.client.sendBatch(rows.map(options.commandOf))
  if (answer.kind === 'refused') return await sendHalves(rows, answer.detail, options)
  const passing: PlannedRow[] = []
  let detail = ''
  for (const [index, verdict] of answer.verdicts.entries()) {
    const row = rows[index]
    if (row === undefined) break
    if (verdict.status === 'refused' && verdict.isPassing) {
      passing.push(row)
      detail = verdict.detail
    } else {
      options.onVerdict(row, verdict)
    }
  }
  return { passing, detail }
}

async function sendHalves(rows: readonly PlannedRow[], detail: string, options: DispatchOptions): Promise<Passing> {
  const [only] = rows
  if (only === undefined || rows.length === 1) {
    if (only !== undefined) options.onVerdict(only, { status: 'refused', detail, isPassing: false })
    return { passing: [], detail: '' }
  }
  const middle = Math.ceil(rows.length / 2)
  const first = await sendOnce(rows.slice(0, middle), options)
  const second = await sendOnce(rows.slice(middle), options)
  return { passing: [...first.passing, ...second.passing], detail: second.detail || first.detail }
}
