/** More dead letters than this among the last records, and the fault is ours: stop instead of emptying the log into a table. */
export interface DeadLetterLimit {
  /** Share of records, 0 to 1. */
  readonly shareMax: number
  /** Number of latest records that are looked at; nothing is judged before so many were seen. */
  readonly windowRecords: number
}

export const deadLetterLimitDefault: DeadLetterLimit = { shareMax: 0.5, windowRecords: 1_000 }

/** Too many records of a partition are dead. */
export class TooManyDeadLetters extends Error {
  override readonly name = 'TooManyDeadLetters'
}

/** Counts over a window that moves on by halves: between half a window and one and a half are looked at. */
export class DeadLetterShare {
  readonly #limit: DeadLetterLimit
  #previous = { records: 0, dead: 0 }
  #current = { records: 0, dead: 0 }

  constructor(limit: DeadLetterLimit) {
    this.#limit = limit
  }

  /** Takes in records as they are decoded. Throws TooManyDeadLetters when the share is above the limit. */
  add(records: number, dead: number): void {
    this.#current.records += records
    this.#current.dead += dead
    const seen = this.#previous.records + this.#current.records
    const deadSeen = this.#previous.dead + this.#current.dead
    const { shareMax, windowRecords } = this.#limit
    if (seen >= windowRecords && deadSeen > seen * shareMax) {
      throw new TooManyDeadLetters(
        `${deadSeen} of the last ${seen} records are dead, more than the share of ${shareMax} that is allowed: ` +
          'this is more likely a fault of the consumer, its configuration or the registry than of the records',
      )
    }
    if (this.#current.records >= windowRecords) {
      this.#previous = this.#current
      this.#current = { records: 0, dead: 0 }
    }
  }
}
