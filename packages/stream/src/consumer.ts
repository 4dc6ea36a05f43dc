/**
 * A service's consumer of a few topics: one member of a consumer group, one loop for each partition assigned to it
 * (`partition-loop.ts` has their protocol), and what looks after them.
 *
 *   - On every assignment each partition gets a new loop, kept partitions too; it begins when this process's earlier
 *     loop of the partition has ended, and loads its position from the database. A crashed client gives a new
 *     assignment as well. So there is one way in, and nothing to carry over.
 *   - A round every `roundMs` asks the broker for the ends of the partitions (lag, watchdog), tells Kafka the positions
 *     (for lag tools; nothing here reads them back) and asks whether the topics are still the same ones.
 *   - `start` waits for nothing: a service can serve its reads while Kafka is away. `check` says whether the group is
 *     joined, `isLive` whether there is progress.
 */
import type { Pool } from '@bellyfed/postgres'
import type { Liveness, Logger, Metrics, Part } from '@bellyfed/process'
import type { Codec } from '@bellyfed/schemas'
import type { ChunkLimits } from './chunk.ts'
import { type DeadLetterLimit, deadLetterLimitDefault } from './dead-letter-share.ts'
import { Decoder } from './decoder.ts'
import { LogState } from './log-state.ts'
import { type LoopContext, PartitionLoop } from './partition-loop.ts'
import type { Log, LogAdmin, LogConsumer, LogConsumerOptions, TopicPartition } from './ports.ts'
import { PositionLost } from './position-check.ts'
import { PositionStore, type Projection } from './position-store.ts'
import { dependencyRetryPolicy, type RetryPolicy } from './retry-policy.ts'
import { Statistics } from './statistics.ts'
import type { StreamMetrics } from './stream-metrics.ts'
import { TransactionSlots } from './transaction-slots.ts'
import { Watchdog } from './watchdog.ts'

/** What a consumer is made of. */
export interface ConsumerOptions {
  readonly kafka: Log
  /** The service's name, with the installation's prefix. */
  readonly group: string
  /** Physical names. */
  readonly topics: readonly string[]
  /** Connections into the service's own schema, at least `transactionsMax` and one for reads. */
  readonly pool: Pool
  readonly codec: Codec
  readonly projection: Projection
  readonly log: Logger
  readonly metrics: Metrics
  readonly retryPolicy?: RetryPolicy
  /** Most records and bytes in one transaction; 4,000 and 4 MiB by default. */
  readonly chunkLimits?: ChunkLimits
  /** Transactions at once, each of another partition; 3 by default. */
  readonly transactionsMax?: number
  /** Fetched but unwritten records of one partition at which fetching pauses; 3 chunks by default. */
  readonly bufferedRecordsMax?: number
  readonly deadLetterLimit?: DeadLetterLimit
  /** Longest time a partition may have lag and not move before the watchdog acts; 60 s by default. */
  readonly stuckMsMax?: number
  /** Pause between two rounds; 5 s by default. */
  readonly roundMs?: number
  /** Settings of the group membership and of fetching. */
  readonly client?: Omit<LogConsumerOptions, 'group' | 'topics'>
}

/** A consumer as a part of the process. */
export interface StreamConsumer extends Part {
  streamMetrics(): StreamMetrics[]
  /** Resolves when everything below `nextOffset` of the partition is applied, by this process. For tests and tools. */
  whenProcessed(
    target: TopicPartition & { readonly nextOffset: bigint },
    options?: { readonly timeoutMs?: number },
  ): Promise<void>
  /** Resolves when everything that is in the topics now is applied, by this process. For tests and tools. */
  whenCaughtUp(options?: { readonly timeoutMs?: number }): Promise<void>
}

const chunkLimitsDefault: ChunkLimits = { recordsMax: 4_000, bytesMax: 4 * 1024 * 1024 }
const transactionsMaxDefault = 3
const stuckMsMaxDefault = 60_000
const roundMsDefault = 5_000
const waitMsMaxDefault = 30_000
/** A broker that is away must not hold up a round, and still less a stop. */
const commitMsMax = 2_000

/** Creates a consumer; it joins its group on `start`. */
export function createConsumer(options: ConsumerOptions): StreamConsumer {
  return new GroupConsumer(options)
}

class GroupConsumer implements StreamConsumer {
  readonly name: string
  readonly #options: ConsumerOptions
  readonly #log: Logger
  readonly #client: LogConsumer
  readonly #admin: LogAdmin
  readonly #logState: LogState
  readonly #statistics: Statistics
  readonly #watchdog: Watchdog
  readonly #context: LoopContext
  #loops = new Map<string, PartitionLoop>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #committed = new Map<string, bigint>()
  #joined: 'not yet' | 'joined' | 'interrupted' = 'not yet'
  #assignmentWaiters: (() => void)[] = []
  #nextRound: NodeJS.Timeout | undefined
  #isStopping = false
  #stopped: Promise<void> | undefined
  #stuck: readonly TopicPartition[] = []
  #report: ((fault: Error) => void) | undefined
  #stopRefreshing: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    const { kafka, group, topics, pool, codec, projection, log, metrics } = options
    const chunkLimits = options.chunkLimits ?? chunkLimitsDefault
    this.name = `consumer ${group}`
    this.#options = options
    this.#log = log
    this.#client = kafka.consumer({ ...options.client, group, topics })
    this.#admin = kafka.admin()
    this.#logState = new LogState(this.#admin)
    this.#statistics = new Statistics(metrics, topics)
    this.#watchdog = new Watchdog(options.stuckMsMax ?? stuckMsMaxDefault)
    this.#context = {
      log,
      client: this.#client,
      logState: this.#logState,
      store: new PositionStore(pool, group),
      decoder: new Decoder(codec),
      projection,
      slots: new TransactionSlots(options.transactionsMax ?? transactionsMaxDefault),
      retryPolicy: options.retryPolicy ?? dependencyRetryPolicy,
      chunkLimits,
      deadLetterLimit: options.deadLetterLimit ?? deadLetterLimitDefault,
      bufferedRecordsMax: options.bufferedRecordsMax ?? 3 * chunkLimits.recordsMax,
      observer: this.#statistics,
    }
  }

  async start(): Promise<void> {
    this.#stopRefreshing = this.#options.metrics.beforeScrape(() => this.#statistics.refreshGauges(this.#allLoops()))
    this.#client.start({
      onAssigned: (assignment) => this.#assign(assignment),
      onBatch: (batch) => this.#loops.get(keyOf(batch))?.receive(batch),
      onOutOfPlace: (event) => this.#loops.get(keyOf(event))?.displace(event),
      onInterrupted: () => {
        this.#joined = 'interrupted'
      },
    })
    this.#planRound()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain()
    return this.#stopped
  }

  async check(): Promise<void> {
    if (this.#joined === 'not yet') throw new Error(`consumer group ${this.#options.group} is not joined yet`)
    if (this.#joined === 'interrupted') throw new Error(`consumer group ${this.#options.group} is being joined again`)
  }

  isLive(): Liveness {
    if (this.#stuck.length === 0) return { live: true }
    return { live: false, reason: `no progress on ${this.#stuck.map(keyOf).join(', ')}` }
  }

  onFault(report: (fault: Error) => void): void {
    this.#report = report
  }

  streamMetrics(): StreamMetrics[] {
    return this.#statistics.streamMetrics(this.#options.group, this.#allLoops())
  }

  async whenProcessed(
    target: TopicPartition & { readonly nextOffset: bigint },
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const timeoutMs = options.timeoutMs ?? waitMsMaxDefault
    const what = `${keyOf(target)} up to offset ${target.nextOffset}`
    await within(timeoutMs, what, this.#whenReached(target))
  }

  async whenCaughtUp(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const ends = await Promise.all(
      this.#options.topics.map(async (topic) => {
        const ranges = await this.#logState.rangesOf(topic)
        return [...ranges].map(([partition, { end }]) => ({ topic, partition, nextOffset: end }))
      }),
    )
    const reached = Promise.all(ends.flat().map((target) => this.#whenReached(target)))
    await within(options.timeoutMs ?? waitMsMaxDefault, `the ends of ${this.#options.topics.join(', ')}`, reached)
  }

  /** Follows the partition through assignments. */
  async #whenReached(target: TopicPartition & { readonly nextOffset: bigint }): Promise<void> {
    for (;;) {
      const loop = this.#loops.get(keyOf(target))
      if (loop === undefined) await new Promise<void>((resolve) => this.#assignmentWaiters.push(resolve))
      else {
        try {
          return await loop.whenReached(target.nextOffset)
        } catch (error) {
          if (this.#loops.get(keyOf(target)) === loop) throw error
        }
      }
    }
  }

  #assign(assignment: readonly TopicPartition[]): void {
    if (this.#isStopping) return
    this.#joined = 'joined'
    this.#statistics.rebalanced()
    this.#log.info({ partitions: assignment.map(keyOf) }, 'partitions assigned')
    for (const loop of this.#loops.values()) loop.end()
    this.#loops = new Map()
    for (const at of assignment) {
      const key = keyOf(at)
      const loop = new PartitionLoop(at, this.#context)
      this.#loops.set(key, loop)
      const run = loop.run(this.#running.get(key) ?? Promise.resolve())
      this.#running.set(key, run)
    }
    const waiters = this.#assignmentWaiters
    this.#assignmentWaiters = []
    for (const resume of waiters) resume()
  }

  async #drain(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#nextRound)
    for (const loop of this.#loops.values()) loop.end()
    await Promise.all(this.#running.values())
    await this.#commit()
    this.#stopRefreshing?.()
    await this.#client.stop()
    await this.#admin.close()
  }

  #planRound(): void {
    if (this.#isStopping) return
    this.#nextRound = setTimeout(() => {
      void this.#lookAfter().finally(() => this.#planRound())
    }, this.#options.roundMs ?? roundMsDefault)
  }

  async #lookAfter(): Promise<void> {
    const fresh = await this.#askForEnds()
    this.#judge(fresh)
    await this.#commit()
    await this.#checkIdentities()
  }

  /** The ends of all partitions of the topics that the broker answered for. */
  async #askForEnds(): Promise<ReadonlyMap<string, bigint>> {
    const fresh = new Map<string, bigint>()
    const topics = new Set(this.#allLoops().map((loop) => loop.at.topic))
    for (const topic of topics) {
      try {
        for (const [partition, { end }] of await this.#logState.rangesOf(topic)) {
          const key = keyOf({ topic, partition })
          fresh.set(key, end)
          this.#loops.get(key)?.noteEndOffset(end)
        }
      } catch (error) {
        this.#log.debug({ err: error, topic }, 'the ends of the partitions are not known')
      }
    }
    return fresh
  }

  #judge(ends: ReadonlyMap<string, bigint>): void {
    const watched = [...this.#loops].map(([key, loop]) => ({
      ...loop.at,
      position: loop.position,
      endOffset: ends.get(key),
      isWriting: loop.isWriting,
      isExcused: loop.state === 'paused' || loop.fault instanceof PositionLost,
    }))
    const verdict = this.#watchdog.look(performance.now(), watched)
    if (verdict.kind === 'fine') return
    const partitions = verdict.stuck.map(keyOf)
    if (verdict.kind === 'restart') {
      this.#log.error({ partitions }, 'no progress though there is lag; restarting the Kafka client')
      this.#statistics.restarted()
      void this.#client.restart()
      return
    }
    this.#stuck = verdict.stuck
    this.#report?.(new Error(`no progress on ${partitions.join(', ')} though the client was restarted`))
  }

  /** Tells Kafka where we are. Fails quietly: nobody but lag tools looks at it. */
  async #commit(): Promise<void> {
    const moved = [...this.#loops].flatMap(([key, { at, position }]) =>
      position === undefined || position === this.#committed.get(key) ? [] : [{ ...at, offset: position }],
    )
    if (moved.length === 0) return
    try {
      await within(commitMsMax, 'commit', this.#client.commit(moved))
      for (const position of moved) this.#committed.set(keyOf(position), position.offset)
    } catch (error) {
      this.#log.debug({ err: error }, 'positions not told to Kafka')
    }
  }

  /** A topic that was made anew while we read it: the loops that join anew will say so. */
  async #checkIdentities(): Promise<void> {
    const checks = await Promise.allSettled(this.#allLoops().map((loop) => loop.checkIdentity()))
    for (const check of checks) {
      if (check.status === 'rejected') this.#log.debug({ err: check.reason }, 'identity of a topic not known')
    }
  }

  #allLoops(): readonly PartitionLoop[] {
    return [...this.#loops.values()]
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

async function within(timeoutMs: number, what: string, work: Promise<unknown>): Promise<void> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error(`not within ${timeoutMs} ms: ${what}`)), timeoutMs)
  try {
    await Promise.race([work, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
