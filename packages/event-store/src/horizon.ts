/**
 * The horizon is the oldest transaction that still writes; nothing at or above it may be published. Normally it moves on
 * within a millisecond. A long write transaction holds it, anywhere in the cluster, and with it all publication: so its
 * age is measured, and past a limit an alarm names who holds it, once per holder.
 *
 * The age counts from when this relay first saw rows waiting for that same horizon: a horizon that nobody waits for is
 * no fault.
 */
import { type Queryable, statement } from '@bellyfed/postgres'
import type { Position } from './events.ts'

const selectHeldBack = statement(import.meta.url, '../sql/select-held-back.sql')
const selectHorizonHolder = statement(import.meta.url, '../sql/select-horizon-holder.sql')

/** The session that holds the horizon. */
export interface HorizonHolder {
  readonly pid: number
  readonly application_name: string | null
  readonly datname: string | null
  readonly state: string | null
  readonly age_seconds: number | null
}

/** The horizon that rows above the cursor wait for, or undefined when no row waits. */
export async function heldBackBy(q: Queryable, cursor: Position): Promise<bigint | undefined> {
  const { rows } = await q.query<{ horizon: bigint }>(selectHeldBack, [cursor.xid, cursor.position])
  return rows[0]?.horizon
}

/** Who holds a horizon; undefined when that is over, or not for this role to see. */
export async function holderOf(q: Queryable, horizon: bigint): Promise<HorizonHolder | undefined> {
  const { rows } = await q.query<HorizonHolder>(selectHorizonHolder, [horizon])
  return rows[0]
}

export class HorizonWatch {
  readonly #alarmAfterMs: number
  readonly #now: () => number
  #horizon: bigint | undefined
  #sinceMs = 0
  #isAlarmed = false

  constructor(alarmAfterMs: number, now: () => number = () => performance.now()) {
    this.#alarmAfterMs = alarmAfterMs
    this.#now = now
  }

  /** How long the present horizon has held rows back; 0 when none wait. */
  get ageMs(): number {
    return this.#horizon === undefined ? 0 : this.#now() - this.#sinceMs
  }

  /** Takes what was just seen. True when the alarm is due: once for each horizon that stays too long. */
  see(horizon: bigint | undefined): boolean {
    if (horizon !== this.#horizon) {
      this.#horizon = horizon
      this.#sinceMs = this.#now()
      this.#isAlarmed = false
    }
    if (this.#isAlarmed || this.ageMs < this.#alarmAfterMs) return false
    this.#isAlarmed = true
    return true
  }
}
