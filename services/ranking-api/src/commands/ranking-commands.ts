/** The one way of changing rankings: idempotent, in order per user, committed in groups. */
import type { Pool } from '@bellyfed/postgres'
import type { Logger, Metrics, Part } from '@bellyfed/process'
import type { Codec } from '@bellyfed/schemas'
import type { SchemaIds } from './encode-event.ts'
import { type Denial, GroupCommit, type GroupCommitLimits } from './group-commit.ts'
import { createIdMint } from './mint-id.ts'
import { createRankingFlush } from './ranking-flush.ts'
import {
  assertCommandId,
  type CommandFailed,
  type CommandOutcome,
  type PutRankingRequest,
  type RankingRequest,
  type Refusal,
  type RemoveRankingRequest,
} from './requests.ts'

export interface RankingCommandsOptions extends Partial<GroupCommitLimits> {
  /** After each commit of events; the place to wake the relay. Must not throw. */
  readonly onCommitted?: () => void
  /** How long a COMMIT whose answer was lost is waited for; default 5,000. */
  readonly settleMsMax?: number
  /** UUIDs of rankings and events; default v7. */
  readonly mintId?: () => string
}

export interface RankingCommandsParts {
  readonly pool: Pool
  readonly codec: Pick<Codec, 'encode'>
  readonly schemaIds: SchemaIds
  readonly log: Logger
  readonly metrics: Metrics
  /** Epoch milliseconds; default the system's clock. */
  readonly clock?: () => number
  readonly options?: RankingCommandsOptions
}

/** Resolves after COMMIT. Rejects only for faults of ours; what a client can do wrong is a refusal. */
export interface RankingCommands extends Part {
  execute(request: RankingRequest): Promise<CommandOutcome>
  put(request: Omit<PutRankingRequest, 'kind'>): Promise<CommandOutcome>
  remove(request: Omit<RemoveRankingRequest, 'kind'>): Promise<CommandOutcome>
  /** Not atomic: a verdict each, in order. Commands of one user are carried out in the order given. */
  batch(requests: readonly RankingRequest[]): Promise<readonly (CommandOutcome | CommandFailed)[]>
}

/** The name under which this service's positions are compared. */
export const eventSource = 'ranking-api'

/**
 * For the pool of the commands, whose statements all look up a few rows by index. Plans are made when a connection is
 * young and the tables may be small; then reading them from end to end, or hashing them whole, looks as cheap, and stays
 * the plan until statistics are renewed: seen as 26 ms instead of 2.3 for the load of a flush at 20,000 rankings. With
 * only look-ups left one plan fits all sizes, and is made once. A pool of their own also keeps reads from taking the
 * commands' connections.
 */
export const commandPoolConfig = {
  poolSizeMax: 4,
  settings: {
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    plan_cache_mode: 'force_generic_plan',
  },
} as const

const defaultLimits: GroupCommitLimits = {
  // Two, so that one flush is decided while the other one's statements run.
  flushesMax: 2,
  commandsBesideMin: 16,
  // Past this a flush's statements grow longer, not cheaper.
  commandsPerFlushMax: 256,
  // Twenty full batches; at the slowest rate seen they are done before their patience ends.
  queueMax: 10_000,
  // Against one other server a command loses every other time at worst: 2^-25 remain.
  attemptsMax: 25,
  waitMsMax: 10_000,
}

const retryAfterSeconds = 1

export function createRankingCommands(parts: RankingCommandsParts): RankingCommands {
  const { pool, codec, schemaIds, log, metrics, clock = Date.now, options = {} } = parts
  const { onCommitted = () => undefined, settleMsMax = 5_000, mintId = createIdMint(), ...limits } = options
  const flush = createRankingFlush({
    pool,
    codec,
    schemaIds,
    clock,
    mintId,
    source: eventSource,
    onCommitted,
    settleMsMax,
    onFallback(error, commandCount) {
      metrics.flushFallbacksTotal.inc()
      log.warn({ err: error, commandCount }, 'a flush failed as a whole; its commands are tried one by one')
    },
  })
  const engine = new GroupCommit<RankingRequest, CommandOutcome>({
    keyOf: (request) => request.userId,
    flush,
    deny: (denial, attempts) => ({ status: 'refused', refusal: refusalOf(denial, attempts) }),
    limits: { ...defaultLimits, ...limits },
    onFlush({ commandCount, lostCount, durationMs }) {
      metrics.flushSizeCommands.observe(commandCount)
      metrics.flushSeconds.observe(durationMs / 1_000)
      if (lostCount > 0) metrics.commandConflictsTotal.inc(lostCount)
    },
  })
  const submit = async (request: RankingRequest): Promise<CommandOutcome> => {
    assertCommandId(request.commandId)
    const startedMs = performance.now()
    let outcome = 'failed'
    try {
      const answer = await engine.submit(request)
      outcome = answer.status
      return answer
    } finally {
      metrics.commandsTotal.inc({ command: request.kind, outcome })
      metrics.acceptSeconds.observe({ command: request.kind }, (performance.now() - startedMs) / 1_000)
    }
  }
  let stopGauge: (() => void) | undefined
  return {
    name: 'ranking commands',
    start() {
      stopGauge = metrics.beforeScrape(() => metrics.commandsWaiting.set(engine.waitingCount))
      return Promise.resolve()
    },
    async stop() {
      await engine.stop()
      stopGauge?.()
    },
    execute: submit,
    put: (request) => submit({ ...request, kind: 'put' }),
    remove: (request) => submit({ ...request, kind: 'remove' }),
    batch: (requests) =>
      Promise.all(
        requests.map((request) =>
          submit(request).catch((error: Error): CommandFailed => ({ status: 'failed', error })),
        ),
      ),
  }
}

function refusalOf(denial: Denial, attempts: number): Refusal {
  return denial === 'conflict' ? { code: denial, attempts } : { code: denial, retryAfterSeconds }
}
