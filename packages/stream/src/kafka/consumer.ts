/**
 * A member of a consumer group over kafkajs. What kafkajs does on its own authority is taken from it:
 *
 * - Positions. kafkajs would begin at Kafka's committed offset. Here every assigned partition is paused in the very
 *   callback that announces it (GROUP_JOIN is emitted before the first fetch), and fetched only after `seek`.
 * - Resets. When the broker refuses an offset as out of range, kafkajs commits the default offset and goes on there.
 *   So the fetch position that *we* expect is kept here, and a batch that was fetched from anywhere else is not
 *   delivered but reported (`onOutOfPlace`). The refusal itself is seen in kafkajs's log, its only trace, which catches
 *   the case that the reset lands on an empty log.
 * - Silence. kafkajs retries a fetch that was answered with an error, or whose connection broke, without a word. In
 *   between, the topic may have been deleted and created again, and its fetches go by name. So after either, every
 *   partition is out of place (`doubtful`) until the loop has looked at the topic's identity and sought again.
 * - Batches without records (all compacted away, or control records): kafkajs steps over them without a callback; its
 *   START_BATCH_PROCESS event tells, and the step is delivered as a batch without records.
 * - Restarts. kafkajs restarts itself after some crashes and not after others, and a restart can outlive `disconnect`.
 *   It is never allowed to: on a crash the client is thrown away and a new one is built after a pause, until `stop`.
 *
 * The client's states: idle ─start─▶ connecting ─▶ running ─crash─▶ waiting ─▶ connecting …; `stop` ends it from any.
 * One loop (`keepRunning`) makes all transitions. A client that was replaced can still call back; its generation no
 * longer matches, and the call does nothing.
 */
import type { Logger } from '@bellyfed/process'
import kafkajs, { type Consumer, type EachBatchPayload, type LogEntry } from 'kafkajs'
import type { ConsumerHandlers, LogConsumer, LogConsumerOptions, TopicPartition } from '../ports.ts'
import { backoffMs, type RetryPolicy } from '../retry-policy.ts'
import { createClient } from './client.ts'
import type { KafkaConfig } from './config.ts'
import { FetchPositions } from './fetch-positions.ts'
import { batchOf } from './record.ts'

const sessionTimeoutMsDefault = 30_000
const fetchWaitMsMaxDefault = 50
const fetchBytesPerPartitionMaxDefault = 1_048_576
const reconnectPolicy: RetryPolicy = {
  maxRetries: Number.POSITIVE_INFINITY,
  retryDelay: 200,
  backoffMultiplier: 2,
  maxRetryDelay: 5_000,
}

/** Creates a consumer; nothing happens before `start`. */
export function createConsumerClient(config: KafkaConfig, log: Logger, options: LogConsumerOptions): LogConsumer {
  return new KafkaConsumer(config, log, options)
}

interface Client {
  readonly consumer: Consumer
  readonly positions: FetchPositions
  /** Settles when this client can no longer be used, with the reason. */
  readonly ended: Promise<Error>
}

class KafkaConsumer implements LogConsumer {
  readonly #config: KafkaConfig
  readonly #log: Logger
  readonly #options: LogConsumerOptions
  readonly #stopping = Promise.withResolvers<void>()
  #isStopping = false
  #client: Client | undefined
  #restart = Promise.withResolvers<Error>()
  #running: Promise<void> = Promise.resolve()

  constructor(config: KafkaConfig, log: Logger, options: LogConsumerOptions) {
    this.#config = config
    this.#log = log
    this.#options = options
  }

  start(handlers: ConsumerHandlers): void {
    this.#running = this.#keepRunning(handlers)
  }

  seek(partition: TopicPartition, offset: bigint): void {
    const client = this.#client
    if (client === undefined || !client.positions.seek(partition, offset)) return
    client.consumer.seek({ ...partition, offset: String(offset) })
    client.consumer.resume([onePartition(partition)])
  }

  pause(partition: TopicPartition): void {
    this.#client?.consumer.pause([onePartition(partition)])
  }

  resume(partition: TopicPartition): void {
    const client = this.#client
    // A partition that waits for its first seek stays paused: kafkajs would begin at Kafka's committed offset.
    if (client?.positions.isPlaced(partition)) client.consumer.resume([onePartition(partition)])
  }

  async commit(positions: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    if (positions.length === 0) return
    await this.#client?.consumer.commitOffsets(positions.map((p) => ({ ...p, offset: String(p.offset) })))
  }

  async restart(): Promise<void> {
    this.#restart.resolve(new Error('restart was asked for'))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#stopping.resolve()
    await this.#running
  }

  async #keepRunning(handlers: ConsumerHandlers): Promise<void> {
    for (let failures = 0; !this.#isStopping; failures += 1) {
      const startedAtMs = performance.now()
      const error = await this.#runOneClient(handlers)
      if (this.#isStopping || error === undefined) return
      handlers.onInterrupted(error)
      // A client that worked for a while and then failed is not the continuation of an earlier row of failures.
      if (performance.now() - startedAtMs > 60_000) failures = 0
      const delayMs = backoffMs(reconnectPolicy, failures, Math.random())
      this.#log.warn({ err: error, group: this.#options.group, delayMs }, 'consumer client failed; building a new one')
      await Promise.race([pauseFor(delayMs), this.#stopping.promise])
    }
  }

  /** Runs a client until it fails or a stop is asked for; resolves when it has left the group. */
  async #runOneClient(handlers: ConsumerHandlers): Promise<Error | undefined> {
    this.#restart = Promise.withResolvers<Error>()
    const client = this.#build(handlers)
    try {
      const starting = this.#connect(client)
      // A connect that hangs must not keep a stop waiting; its outcome is then of no interest.
      starting.catch(() => undefined)
      await Promise.race([starting, this.#stopping.promise])
      if (this.#isStopping) return undefined
      return await Promise.race([client.ended, this.#restart.promise, this.#stopping.promise.then(() => undefined)])
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    } finally {
      this.#client = undefined
      await client.consumer.disconnect().catch((error: unknown) => {
        this.#log.debug({ err: error }, 'consumer client did not disconnect cleanly')
      })
    }
  }

  async #connect({ consumer }: Client): Promise<void> {
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      // eachBatch only hands over, so one at a time is enough; concurrency lies in the partitions' own loops.
      partitionsConsumedConcurrently: 1,
      eachBatch: async (payload) => this.#deliver(consumer, payload),
    })
  }

  readonly #handlersOf = new WeakMap<Consumer, ConsumerHandlers>()

  #build(handlers: ConsumerHandlers): Client {
    const ended = Promise.withResolvers<Error>()
    const positions = new FetchPositions()
    const consumer = createClient(this.#config, this.#log, {
      onEntry: (entry) => this.#readLog(consumer, entry),
      onConnectionClosed: () => this.#doubt(consumer),
    }).consumer({
      groupId: this.#options.group,
      sessionTimeout: this.#options.sessionTimeoutMs ?? sessionTimeoutMsDefault,
      heartbeatInterval: Math.floor((this.#options.sessionTimeoutMs ?? sessionTimeoutMsDefault) / 10),
      rebalanceTimeout: 60_000,
      maxWaitTimeInMs: this.#options.fetchWaitMsMax ?? fetchWaitMsMaxDefault,
      minBytes: 1,
      maxBytesPerPartition: this.#options.fetchBytesPerPartitionMax ?? fetchBytesPerPartitionMaxDefault,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10, restartOnFailure: async () => false },
    })
    const client: Client = { consumer, positions, ended: ended.promise }
    this.#client = client
    this.#handlersOf.set(consumer, handlers)
    consumer.on(consumer.events.CRASH, ({ payload }) => ended.resolve(payload.error))
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#assigned(client, payload.memberAssignment))
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#deliverStep(client, payload)
    })
    return client
  }

  #assigned(client: Client, memberAssignment: Record<string, number[]>): void {
    if (client !== this.#client) return
    const assignment = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    client.positions.assign(assignment)
    client.consumer.pause(assignment.map(onePartition))
    this.#handlersOf.get(client.consumer)?.onAssigned(assignment)
  }

  #deliver(consumer: Consumer, { batch, isStale }: EachBatchPayload): void {
    const client = this.#client
    // A seek that waits makes this batch one from an earlier place, which was asked for no more.
    if (client === undefined || client.consumer !== consumer || isStale()) return
    const fetched = batchOf(batch)
    const handlers = this.#handlersOf.get(consumer)
    const outcome = client.positions.advance(fetched)
    if (outcome.inPlace) handlers?.onBatch(fetched)
    else if (outcome.expected !== undefined) {
      const { topic, partition, fetchedFrom: found } = fetched
      handlers?.onOutOfPlace({ topic, partition, kind: 'moved', expected: outcome.expected, found })
    }
  }

  #deliverStep(
    client: Client,
    step: { topic: string; partition: number; lastOffset: string; highWatermark: string },
  ): void {
    if (client !== this.#client) return
    const { topic, partition } = step
    const nextOffset = BigInt(step.lastOffset) + 1n
    const fetchedFrom = client.positions.step({ topic, partition }, nextOffset)
    if (fetchedFrom === undefined) return
    const endOffset = BigInt(step.highWatermark)
    this.#handlersOf
      .get(client.consumer)
      ?.onBatch({ topic, partition, fetchedFrom, nextOffset, endOffset, records: [] })
  }

  #readLog(consumer: Consumer, { level, log }: LogEntry): void {
    if (level !== kafkajs.logLevel.ERROR) return
    if (log.message.startsWith('Offset out of range, resetting')) {
      this.#refused(consumer, { topic: String(log.topic), partition: Number(log.partition) })
    } else if (log.message.startsWith('Response Fetch') && !outOfRangePattern.test(String(log.error))) {
      this.#doubt(consumer)
    }
  }

  #refused(consumer: Consumer, partition: TopicPartition): void {
    const client = this.#client
    if (client === undefined || client.consumer !== consumer) return
    const expected = client.positions.displace(partition)
    if (expected === undefined) return
    consumer.pause([onePartition(partition)])
    this.#handlersOf.get(consumer)?.onOutOfPlace({ ...partition, kind: 'refused', expected, found: undefined })
  }

  #doubt(consumer: Consumer): void {
    const client = this.#client
    if (client === undefined || client.consumer !== consumer || this.#isStopping) return
    for (const { expected, ...partition } of client.positions.displaceAll()) {
      consumer.pause([onePartition(partition)])
      this.#handlersOf.get(consumer)?.onOutOfPlace({ ...partition, kind: 'doubtful', expected, found: undefined })
    }
  }
}

// kafkajs's wording of OFFSET_OUT_OF_RANGE (protocol/error.js): it has a message of its own, with the partition.
const outOfRangePattern = /not within the range of offsets/

function onePartition({ topic, partition }: TopicPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] }
}

function pauseFor(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref())
}
