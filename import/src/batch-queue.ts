/**
 * Which rows go into the next batch.
 *
 * Several batches may be on their way at once and arrive in any order, so the rows of one user must never be in two of
 * them. A batch takes rows in their order and leaves out every row whose user is in a batch on its way; such rows wait in
 * front of all others. The rows of one user therefore leave in their order, and across users the order is left by no more
 * than `lookAheadMax` rows.
 */
export interface Queued {
  readonly user: number
}

export class BatchQueue<Row extends Queued> {
  readonly #rows: readonly Row[]
  readonly #batchSizeMax: number
  readonly #lookAheadMax: number
  readonly #busyUsers = new Set<number>()
  #waiting: Row[] = []
  #next = 0

  constructor(rows: readonly Row[], options: { batchSizeMax: number; lookAheadMax: number }) {
    this.#rows = rows
    this.#batchSizeMax = options.batchSizeMax
    this.#lookAheadMax = options.lookAheadMax
  }

  /** The next batch, whose users are busy from now on; empty when everything has been taken, or must wait for a `finish`. */
  take(): readonly Row[] {
    const batch: Row[] = []
    const stillWaiting: Row[] = []
    for (const row of this.#waiting) this.#place(row, batch, stillWaiting)
    while (batch.length < this.#batchSizeMax && stillWaiting.length < this.#lookAheadMax) {
      const row = this.#rows[this.#next]
      if (row === undefined) break
      this.#next++
      this.#place(row, batch, stillWaiting)
    }
    this.#waiting = stillWaiting
    for (const row of batch) this.#busyUsers.add(row.user)
    return batch
  }

  /** Every row of the batch has its verdict. */
  finish(batch: readonly Row[]): void {
    for (const row of batch) this.#busyUsers.delete(row.user)
  }

  #place(row: Row, batch: Row[], stillWaiting: Row[]): void {
    const mayGo = batch.length < this.#batchSizeMax && !this.#busyUsers.has(row.user)
    ;(mayGo ? batch : stillWaiting).push(row)
  }
}
