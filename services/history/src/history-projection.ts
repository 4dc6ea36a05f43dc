/**
 * Events → rows of `ranking_history`. A row is named by (user, sequence) and never changes, so whatever is delivered
 * twice, late, or in another batch leaves the same rows. Two different events at one place cannot come from a sound
 * log: then the batch is refused and nothing of it is kept.
 */
import { statement, type Transaction } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'
import { identityParameters, insertParameters } from './history-rows.ts'

/** One batch of rows; its parameters are `insertParameters`. */
export const insertHistory = statement(import.meta.url, '../sql/insert-history.sql')
const selectContradictions = statement(import.meta.url, '../sql/select-contradictions.sql')

interface Contradiction {
  readonly userId: string
  readonly sequence: string
  readonly eventId: string
  readonly storedEventId: string
}

/** Another event already has this place in the user's stream: the log and this history do not belong together. */
export class ContradictingHistory extends Error {
  override readonly name = 'ContradictingHistory'
  readonly contradictions: readonly Contradiction[]

  constructor(contradictions: readonly Contradiction[]) {
    const [first] = contradictions
    super(`user ${first?.userId}, sequence ${first?.sequence}: holds ${first?.storedEventId}, not ${first?.eventId}`)
    this.contradictions = contradictions
  }
}

/** Writes the rows of a batch that are not there yet. @throws ContradictingHistory */
export async function insertHistoryOf(tx: Transaction, events: readonly DecodedEvent[]): Promise<void> {
  if (events.length === 0) return
  const { rowCount } = await tx.query(insertHistory, insertParameters(events))
  // Fewer rows than events: some are there already. Rare, and the only time when they need to be looked at.
  if (rowCount < events.length) await refuseContradictions(tx, events)
}

async function refuseContradictions(tx: Transaction, events: readonly DecodedEvent[]): Promise<void> {
  const { rows } = await tx.query<Contradiction>(selectContradictions, identityParameters(events))
  if (rows.length > 0) throw new ContradictingHistory(rows)
}
