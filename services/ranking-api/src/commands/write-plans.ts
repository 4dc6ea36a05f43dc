/**
 * Writing the plans of a flush: one transaction, one statement a table.
 *
 *   BEGIN · advanceStreams ─▶ (who won) ─▶ events · withdrawn · rankings · results · keys · COMMIT
 *
 * Two round trips: BEGIN travels with the compare-and-set, COMMIT with the rows. The compare-and-set is the first write,
 * so that versions are published in order; a plan that loses it writes nothing at all.
 */
import { advanceStreams, insertEvents } from '@bellyfed/event-store'
import { arrayOf, type Pool, statement, type Transaction } from '@bellyfed/postgres'
import type { Ranking } from '../domain/user-aggregate.ts'
import type { NewResult, Plan } from './fold-commands.ts'

const deleteRankings = statement(import.meta.url, '../../sql/delete-rankings.sql')
const upsertRankings = statement(import.meta.url, '../../sql/upsert-rankings.sql')
const insertCommandResults = statement(import.meta.url, '../../sql/insert-command-results.sql')
const insertUserKeys = statement(import.meta.url, '../../sql/insert-user-keys.sql')
const storeUnchangedResults = statement(import.meta.url, '../../sql/store-unchanged-results.sql')

/** Where the event of a version of a stream stands. */
export interface Written {
  readonly xid: bigint
  readonly position: bigint
}

/** By user and sequence; a user that is not here lost. */
export type WrittenPositions = Map<string, Written>

export function positionKey(userId: string, sequence: number): string {
  return `${userId}/${sequence}`
}

/**
 * Writes the plans that move their streams. Answers with the positions of the events of those that won.
 * Throws what `Pool.transaction` throws; then nothing is written, or, for `CommitOutcomeUnknown`, all or nothing.
 */
export async function writeMoves(pool: Pool, plans: readonly Plan[]): Promise<WrittenPositions> {
  const { winners, inserted } = await pool.transaction(async (tx) => {
    const { won } = await advanceStreams(
      tx,
      plans.map(({ userId, fromSequence, toSequence, atMs }) => {
        return { stream: userId, expectedVersion: fromSequence, newVersion: toSequence, atMs }
      }),
    )
    const winners = plans.filter((plan) => won.has(plan.userId))
    // Not awaited: the statements travel with COMMIT, and a failed one makes the commit fail.
    return { winners, inserted: winners.length === 0 ? undefined : writeRows(tx, winners) }
  })
  const written: WrittenPositions = new Map()
  if (inserted === undefined) return written
  const { xid, positions } = await inserted
  const rows = winners.flatMap((plan) => plan.events)
  for (const [index, { stream, version }] of rows.entries()) {
    written.set(positionKey(stream, version), { xid, position: positions[index] ?? 0n })
  }
  return written
}

function writeRows(tx: Transaction, plans: readonly Plan[]): ReturnType<typeof insertEvents> {
  const inserted = insertEvents(
    tx,
    plans.flatMap((plan) => plan.events),
  )
  const statements: Promise<unknown>[] = [inserted]
  const withdrawn = plans.flatMap((plan) => plan.withdrawnRankingIds)
  if (withdrawn.length > 0) statements.push(tx.query(deleteRankings, [arrayOf.uuid(withdrawn)]))
  const rankings = plans.flatMap((plan) => plan.rankings.map((ranking) => ({ userId: plan.userId, ...ranking })))
  if (rankings.length > 0) statements.push(tx.query(upsertRankings, rankingColumns(rankings)))
  statements.push(tx.query(insertCommandResults, resultColumns(plans.flatMap((plan) => plan.results))))
  const keys = plans.flatMap(({ userId, newTextKey, atMs }) => (newTextKey ? [{ userId, newTextKey, atMs }] : []))
  if (keys.length > 0) {
    const columns = [
      arrayOf.uuid(keys.map((key) => key.userId)),
      arrayOf.bytea(keys.map((key) => key.newTextKey)),
      arrayOf.timestampMs(keys.map((key) => key.atMs)),
    ]
    statements.push(tx.query(insertUserKeys, columns))
  }
  // The transaction reports the first failure; here it must only not end the process as an unhandled rejection.
  for (const answer of statements) answer.catch(() => undefined)
  return inserted
}

/**
 * Stores the results of commands that changed nothing, for streams that this flush does not move. Answers with the
 * positions of the latest events of those streams that have not moved meanwhile.
 */
export async function writeUnchanged(pool: Pool, plans: readonly Plan[]): Promise<WrittenPositions> {
  const results = plans.flatMap((plan) => plan.results)
  const { rows } = await pool.query<{ stream: string } & Written>(storeUnchangedResults, resultColumns(results))
  const sequences = new Map(plans.map((plan) => [plan.userId as string, plan.fromSequence]))
  return new Map(
    rows.map(({ stream, xid, position }) => [positionKey(stream, sequences.get(stream) ?? 0), { xid, position }]),
  )
}

function rankingColumns(rankings: readonly (Ranking & { userId: string })[]): string[] {
  return [
    arrayOf.uuid(rankings.map((ranking) => ranking.rankingId)),
    arrayOf.uuid(rankings.map((ranking) => ranking.userId)),
    arrayOf.uuid(rankings.map((ranking) => ranking.dishId)),
    arrayOf.text(rankings.map((ranking) => ranking.dishType)),
    arrayOf.uuid(rankings.map((ranking) => ranking.restaurantId)),
    arrayOf.integer(rankings.map((ranking) => ranking.rank)),
    arrayOf.integer(rankings.map((ranking) => ranking.ratingHundredths)),
    arrayOf.text(rankings.map((ranking) => ranking.notes)),
    arrayOf.text(rankings.map((ranking) => ranking.photoUrl)),
    arrayOf.timestampMs(rankings.map((ranking) => ranking.firstRankedAtMs)),
    arrayOf.timestampMs(rankings.map((ranking) => ranking.lastRankedAtMs)),
    arrayOf.timestampMs(rankings.map((ranking) => ranking.createdAtMs)),
    arrayOf.timestampMs(rankings.map((ranking) => ranking.updatedAtMs)),
    arrayOf.bigint(rankings.map((ranking) => ranking.sequence)),
  ]
}

function resultColumns(results: readonly NewResult[]): string[] {
  return [
    arrayOf.uuid(results.map((result) => result.userId)),
    arrayOf.text(results.map((result) => result.commandId)),
    arrayOf.bytea(results.map((result) => result.requestHash)),
    arrayOf.bigint(results.map((result) => result.sequence)),
    arrayOf.json(results.map((result) => result.stored)),
    arrayOf.timestampMs(results.map((result) => result.acceptedAtMs)),
  ]
}
