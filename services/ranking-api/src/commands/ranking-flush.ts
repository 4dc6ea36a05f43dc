/**
 * One flush of ranking commands: load, decide, write, answer.
 *
 * 1. Load everything that the commands touch, in one statement, before there is a transaction with an id.
 * 2. Fold: pure rules decide each user's commands one upon the other; their events are sealed and encoded.
 * 3. Write the plans in one transaction. A user whose stream had moved meanwhile loses: nothing of it is written, and its
 *    commands are loaded anew in a later flush. Users whose commands changed nothing are written beside, in one statement.
 * 4. Answer after COMMIT only.
 *
 * When something goes wrong:
 * - A statement or the COMMIT is refused: all is undone, and each command is tried in a flush of its own, in order, so
 *   that the one at fault fails alone. A single command that meets a row which another server has just written (the same
 *   command, a key, a catalogue entry that went) is loaded anew instead.
 * - The connection is lost before COMMIT was sent: nothing is written, and after a pause all fly again.
 * - The answer to COMMIT is lost: `pg_xact_status` tells what became of it. Committed: the next load finds the stored
 *   results. Undone: all fly again. Still open after a bounded wait: all fly again too, which is safe, because the
 *   compare-and-set waits for that transaction and then loses to it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  CommitOutcomeUnknown,
  constraintOf,
  isTransient,
  type Pool,
  settledTransactionStatus,
} from '@bellyfed/postgres'
import { type FoldOptions, foldCommands, type Plan, type Settled } from './fold-commands.ts'
import type { Attempt, Verdict } from './group-commit.ts'
import { load } from './load-commands.ts'
import type { Applied, CommandOutcome, RankingRequest, StoredResult } from './requests.ts'
import { positionKey, type Written, type WrittenPositions, writeMoves, writeUnchanged } from './write-plans.ts'

export interface RankingFlushOptions extends Omit<FoldOptions, 'now'> {
  readonly pool: Pool
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly source: string
  /** After each transaction that committed events: time to wake the relay. */
  readonly onCommitted: () => void
  /** A flush failed as a whole and is repeated one command at a time. */
  readonly onFallback: (error: unknown, commandCount: number) => void
  /** How long a lost COMMIT is waited for. */
  readonly settleMsMax: number
}

type RankingAttempt = Attempt<RankingRequest>
type RankingVerdict = Verdict<CommandOutcome>

const again = (reason: 'lost' | 'unavailable' | 'committed'): RankingVerdict => ({ kind: 'again', reason })

/** Rows that another server may write between a flush's load and its write. */
const racedConstraints = new Set([
  'command_results_pkey',
  'user_keys_pkey',
  'user_rankings_dish_fkey',
  'user_rankings_menu_item_fkey',
])

/** Long enough that a database which restarts is not hammered, short against a command's patience. */
const pauseMsMin = 20
const pauseMsMax = 500

export function createRankingFlush(options: RankingFlushOptions) {
  return (attempts: readonly RankingAttempt[]) => flush(attempts, options)
}

async function flush(attempts: readonly RankingAttempt[], options: RankingFlushOptions): Promise<RankingVerdict[]> {
  const committedUsers = new Set<string>()
  const isCommitted = (attempt: RankingAttempt) => attempt.isCommitted || committedUsers.has(attempt.command.userId)
  try {
    return await loadAndWrite(attempts, options, committedUsers)
  } catch (error) {
    if (error instanceof CommitOutcomeUnknown) {
      const reason = await outcomeOf(error, options)
      return attempts.map((attempt) => again(isCommitted(attempt) ? 'committed' : reason))
    }
    if (isTransient(error)) {
      await pause(pauseMs(attempts))
      return attempts.map((attempt) => again(isCommitted(attempt) ? 'committed' : 'unavailable'))
    }
    if (attempts.length > 1) {
      options.onFallback(error, attempts.length)
      return singly(
        attempts.map((attempt) => ({ ...attempt, isCommitted: isCommitted(attempt) })),
        options,
      )
    }
    if (racedConstraints.has(constraintOf(error) ?? '')) return [again('lost')]
    return [{ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) }]
  }
}

/** One by one, in order; behind a command that has to fly again, its user's later ones do too. */
async function singly(attempts: readonly RankingAttempt[], options: RankingFlushOptions): Promise<RankingVerdict[]> {
  const verdicts: RankingVerdict[] = []
  const returningUsers = new Set<string>()
  for (const attempt of attempts) {
    const { userId } = attempt.command
    const [verdict] = returningUsers.has(userId) ? [again('lost')] : await flush([attempt], options)
    if (verdict === undefined) throw new Error('a flush of one command gave no verdict')
    if (verdict.kind === 'again') returningUsers.add(userId)
    verdicts.push(verdict)
  }
  return verdicts
}

/** Doubles with every attempt, with jitter, so that several servers do not come back in step. */
function pauseMs(attempts: readonly RankingAttempt[]): number {
  const tries = Math.max(...attempts.map((attempt) => attempt.attempts))
  const full = Math.min(pauseMsMax, pauseMsMin * 2 ** tries)
  return full / 2 + Math.random() * (full / 2)
}

async function outcomeOf(
  lost: CommitOutcomeUnknown,
  options: RankingFlushOptions,
): Promise<'committed' | 'unavailable'> {
  if (lost.xid === undefined) return 'unavailable'
  try {
    const timing = { timeoutMs: options.settleMsMax }
    const status = await settledTransactionStatus(options.pool, lost.xid, timing)
    if (status === 'committed') options.onCommitted()
    return status === 'committed' ? 'committed' : 'unavailable'
  } catch {
    return 'unavailable'
  }
}

async function loadAndWrite(
  attempts: readonly RankingAttempt[],
  options: RankingFlushOptions,
  committedUsers: Set<string>,
): Promise<RankingVerdict[]> {
  const requests = attempts.map((attempt) => attempt.command)
  const loaded = await load(options.pool, requests)
  const { plans, settled } = foldCommands(requests, loaded, { ...options, now: options.clock() })
  const written = await write(plans, options, committedUsers)
  const losers = new Set(plans.filter((plan) => !written.has(lastPositionOf(plan))).map((plan) => plan.userId))
  return attempts.map((attempt, index): RankingVerdict => {
    const { userId } = attempt.command
    if (losers.has(userId)) return again('lost')
    const answer = (stored: StoredResult, { xid, position }: Written, isRepeat: boolean): RankingVerdict => {
      const receipt = { source: options.source, epoch: loaded.epoch, xid, position, key: userId }
      const status = isRepeat && !attempt.isCommitted ? 'repeated' : stored.status
      const applied: Applied = { ...stored, status, receipt }
      return { kind: 'done', result: applied }
    }
    return verdictOf(settled[index], written, answer)
  })
}

function verdictOf(
  settled: Settled | undefined,
  written: WrittenPositions,
  answer: (stored: StoredResult, at: Written, isRepeat: boolean) => RankingVerdict,
): RankingVerdict {
  switch (settled?.kind) {
    case 'refused':
      return { kind: 'done', result: { status: 'refused', refusal: settled.refusal } }
    case 'failed':
      return { kind: 'failed', error: settled.error }
    case 'repeated':
      return answer(settled.stored, settled, true)
    case 'planned': {
      const { userId, sequence, stored } = settled.result
      const at = written.get(positionKey(userId, sequence))
      if (at === undefined) throw new Error(`the event ${sequence} of user ${userId} was written without a position`)
      return answer(stored, at, settled.isRepeat)
    }
    default:
      throw new Error('a command was not settled')
  }
}

/** `committedUsers` gets those whose plan is written already when a later statement throws. */
async function write(
  plans: readonly Plan[],
  options: RankingFlushOptions,
  committedUsers: Set<string>,
): Promise<WrittenPositions> {
  const moves = plans.filter((plan) => plan.events.length > 0)
  const unchanged = plans.filter((plan) => plan.events.length === 0)
  const moved: WrittenPositions = moves.length > 0 ? await writeMoves(options.pool, moves) : new Map()
  if (moved.size > 0) options.onCommitted()
  if (unchanged.length === 0) return moved
  for (const plan of moves) if (moved.has(lastPositionOf(plan))) committedUsers.add(plan.userId)
  return new Map([...moved, ...(await writeUnchanged(options.pool, unchanged))])
}

function lastPositionOf(plan: Plan): string {
  return positionKey(plan.userId, plan.toSequence)
}
