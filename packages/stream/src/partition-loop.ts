/**
 * The loop of one assigned partition. Its state is its own; callbacks of the client and the consumer only enqueue
 * (`receive`, `displace`) or ask for an end (`revoke`, `drain`).
 *
 *   joining   Loads the position, or creates it at the log's start, checks it against cluster, topic and offsets, and
 *             seeks.
 *   running   Two stages side by side. Decoding takes fetched batches and fills chunks; writing takes the oldest chunk,
 *             however full, as soon as a transaction slot is free, and writes it in one transaction. So the next chunk
 *             is decoded, and small batches are merged, while PostgreSQL works on the current one.
 *   paused    A dependency is away: PostgreSQL, the registry, or the broker while joining. The same work is tried again
 *             with jittered exponential backoff, for ever; nothing is skipped. Heartbeats go on: they are the client's.
 *   draining  An end was asked for: the transaction in flight is finished, nothing new is begun.
 *   stopped   For good. Either asked for, or on a fault: a lost position, a projection that fails, too many dead
 *             letters. The partition is fetched no more; other partitions go on. A new assignment begins a new loop.
 *
 *   joining ─▶ running ⇄ paused       running ─(stale position, client out of place)─▶ joining ⇄ paused
 *   any ─(revoke, drain)─▶ draining ─▶ stopped       joining, running ─(fault)─▶ stopped
 *
 * What holds throughout:
 *   - Position, marks, dead letters and the projection's rows change in one transaction, by compare-and-set from the
 *     position that this loop last loaded or wrote. A loop that lost its partition without knowing writes nothing.
 *   - After a failed transaction the position is loaded before anything is tried again: it says whether the commit had
 *     happened all the same (then the chunk is done), or another consumer has moved on (then everything buffered is
 *     dropped and the loop joins anew).
 *   - Chunks are written in the order of their offsets, each beginning where the one before ended.
 */
import { CommitOutcomeUnknown, isTransient, sqlStateOf } from '@bellyfed/postgres'
import type { Logger } from '@bellyfed/process'
import type { Chunk, ChunkLimits } from './chunk.ts'
import { type DeadLetterLimit, DeadLetterShare } from './dead-letter-share.ts'
import type { Decoder } from './decoder.ts'
import type { LogState } from './log-state.ts'
import type { FetchedBatch, LogConsumer, OutOfPlace, TopicPartition } from './ports.ts'
import { checkPosition, PositionLost } from './position-check.ts'
import { type PositionStore, type Projection, StalePosition } from './position-store.ts'
import { backoffMs, type RetryPolicy } from './retry-policy.ts'
import { Session } from './session.ts'
import { Signal } from './signal.ts'
import type { TransactionSlots } from './transaction-slots.ts'

export type PartitionState = 'joining' | 'running' | 'paused' | 'draining' | 'stopped'

/** What all loops of a consumer share. */
export interface LoopContext {
  readonly log: Logger
  readonly client: LogConsumer
  readonly logState: LogState
  readonly store: PositionStore
  readonly decoder: Decoder
  readonly projection: Projection
  readonly slots: TransactionSlots
  readonly retryPolicy: RetryPolicy
  readonly chunkLimits: ChunkLimits
  readonly deadLetterLimit: DeadLetterLimit
  /** Fetched but unwritten records of one partition at which fetching pauses; it goes on at half of them. */
  readonly bufferedRecordsMax: number
  readonly observer: LoopObserver
}

/** Who counts. Called synchronously; must not throw. */
export interface LoopObserver {
  decoded(at: TopicPartition, durationMs: number): void
  /** A chunk is committed and the position behind it. */
  written(at: TopicPartition, chunk: Chunk, durationMs: number): void
  retried(at: TopicPartition): void
  stale(at: TopicPartition): void
}

/** Records are decoded in runs of this many (about a millisecond), so that heartbeats and other partitions get their turn. */
const decodeRunRecords = 250

export class PartitionLoop {
  readonly at: TopicPartition
  readonly #context: LoopContext
  readonly #wake = new Signal()
  readonly #deadLetterShare: DeadLetterShare
  #isDone = false
  #isEnding = false
  readonly #whenEnding = Promise.withResolvers<undefined>()
  #waits = 0
  #session: Session | undefined
  #position: bigint | undefined
  #endOffset: bigint | undefined
  #fault: Error | undefined
  #isWriting = false
  #writtenTimestampMs: number | undefined

  constructor(at: TopicPartition, context: LoopContext) {
    this.at = at
    this.#context = context
    this.#deadLetterShare = new DeadLetterShare(context.deadLetterLimit)
  }

  get state(): PartitionState {
    if (this.#isDone) return 'stopped'
    if (this.#isEnding) return 'draining'
    if (this.#waits > 0) return 'paused'
    return this.#session === undefined ? 'joining' : 'running'
  }

  /** Everything below is written; undefined until the position is loaded. */
  get position(): bigint | undefined {
    return this.#position
  }

  /** The end of the partition as last heard of. */
  get endOffset(): bigint | undefined {
    return this.#endOffset
  }

  /** Whether a transaction is in flight. */
  get isWriting(): boolean {
    return this.#isWriting
  }

  /** Why the loop stopped, when nobody had asked for it. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /** Timestamp of the oldest record not yet written, or of the last written one when none is buffered. */
  get oldestTimestampMs(): number | undefined {
    return this.#session?.oldestTimestampMs ?? this.#writtenTimestampMs
  }

  /** Runs until revoked, drained or at fault. `predecessor` is this process's earlier loop of the same partition. */
  async run(predecessor: Promise<void>): Promise<void> {
    try {
      await predecessor
      while (!this.#isEnding) {
        const session = await this.#join()
        if (session !== undefined) await this.#runSession(session)
      }
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error))
      this.#context.client.pause(this.at)
      this.#context.log.error({ err: this.#fault, ...this.at, position: this.#position }, 'partition stopped')
    }
    this.#isDone = true
    this.#wake.notify()
  }

  /** A batch came. */
  receive(batch: FetchedBatch): void {
    this.noteEndOffset(batch.endOffset)
    const session = this.#session
    if (session === undefined || session.displaced !== undefined) return
    session.receive(batch)
    if (!session.isFetchPaused && session.bufferedRecords >= this.#context.bufferedRecordsMax) {
      session.isFetchPaused = true
      this.#context.client.pause(this.at)
    }
    this.#wake.notify()
  }

  /** The client is not where it should be. */
  displace(event: OutOfPlace): void {
    const session = this.#session
    if (session !== undefined && (event.kind === 'refused' || session.displaced === undefined))
      session.displaced = event
    this.#wake.notify()
  }

  /** The end of the partition, heard of by asking. */
  noteEndOffset(endOffset: bigint): void {
    if (this.#endOffset === undefined || endOffset > this.#endOffset) this.#endOffset = endOffset
  }

  /** The partition belongs to somebody else now, or the process ends. What is in flight is finished, or refused. */
  end(): void {
    this.#isEnding = true
    this.#whenEnding.resolve(undefined)
    this.#wake.notify()
  }

  /** Asks whether the topic is still the one that the position belongs to; if not, ends the session to join anew. */
  async checkIdentity(): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    const { clusterId, topicId } = await this.#context.logState.identityOf(this.at.topic)
    if (clusterId === session.position.clusterId && topicId === session.position.topicId) return
    this.#context.client.pause(this.at)
    this.#endSession(session)
  }

  /** Resolves when everything below `offset` is written; rejects when the loop stops before. */
  async whenReached(offset: bigint): Promise<void> {
    while (this.#position === undefined || this.#position < offset) {
      if (this.#isDone) {
        const { topic, partition } = this.at
        throw new Error(`${topic}/${partition} stopped below offset ${offset}`, { cause: this.#fault })
      }
      await this.#wake.wait()
    }
  }

  async #join(): Promise<Session | undefined> {
    for (let attempt = 0; !this.#isEnding; attempt += 1) {
      try {
        const opening = this.#open()
        // A broker that does not answer must not keep an end waiting; what it answers later is of no interest.
        opening.catch(() => undefined)
        return await Promise.race([opening, this.#whenEnding.promise])
      } catch (error) {
        if (error instanceof PositionLost || isOurFault(error)) throw error
        await this.#waitOut(error, attempt, () => !this.#isEnding)
      }
    }
    return undefined
  }

  async #open(): Promise<Session | undefined> {
    const { logState, store, client, chunkLimits } = this.#context
    const [identity, range] = await Promise.all([logState.identityOf(this.at.topic), logState.rangeOf(this.at)])
    let loaded = await store.load(this.at)
    if (loaded === undefined) {
      await store.create(this.at, range.start, identity)
      loaded = await store.load(this.at)
    }
    if (loaded === undefined) throw new Error('the position that was just created cannot be read')
    checkPosition(this.at, loaded, { ...identity, range })
    if (this.#isEnding) return undefined
    this.#session = new Session(loaded, chunkLimits)
    this.#position = loaded.nextOffset
    this.#endOffset = range.end
    client.seek(this.at, loaded.nextOffset)
    this.#wake.notify()
    return this.#session
  }

  async #runSession(session: Session): Promise<void> {
    const stages = [this.#decodeAll(session), this.#writeAll(session)].map(async (stage) => {
      // Whichever stage ends first ends the session, so that the other does not wait for what never comes.
      await stage.finally(() => this.#endSession(session))
    })
    const [decoding, writing] = await Promise.allSettled(stages)
    for (const outcome of [writing, decoding]) {
      if (outcome?.status !== 'rejected') continue
      if (!(outcome.reason instanceof StalePosition)) throw outcome.reason
      this.#context.observer.stale(this.at)
      this.#context.log.info({ ...this.at }, `${outcome.reason.message}; loading it again`)
    }
    if (session.displaced !== undefined) await this.#explainDisplacement(session, session.displaced)
  }

  #endSession(session: Session): void {
    session.isOver = true
    if (this.#session === session) this.#session = undefined
    this.#wake.notify()
  }

  #isGoingOn(session: Session): boolean {
    return !session.isOver && !this.#isEnding
  }

  /** The decoding stage. */
  async #decodeAll(session: Session): Promise<void> {
    while (this.#isGoingOn(session)) {
      const batch = session.nextBatch()
      if (batch === undefined) {
        await this.#wake.wait()
        continue
      }
      session.isDecoding = true
      await this.#prepareSchemas(session, batch)
      await this.#decode(session, batch)
      session.isDecoding = false
      this.#wake.notify()
    }
  }

  async #prepareSchemas(session: Session, batch: FetchedBatch): Promise<void> {
    for (let attempt = 0; this.#isGoingOn(session); attempt += 1) {
      try {
        await this.#context.decoder.prepare(batch.records)
        return
      } catch (error) {
        await this.#waitOut(error, attempt, () => this.#isGoingOn(session))
      }
    }
  }

  async #decode(session: Session, batch: FetchedBatch): Promise<void> {
    const { decoder, observer } = this.#context
    const { records } = batch
    for (let start = 0; start < records.length; start += decodeRunRecords) {
      if (start > 0) await nextTurn()
      if (!this.#isGoingOn(session)) return
      const startedAtMs = performance.now()
      const run = records.slice(start, start + decodeRunRecords)
      let dead = 0
      for (const record of run) {
        const chunk = session.fillingChunk()
        const deadBefore = chunk.dead.length
        decoder.decodeInto(chunk, session.marks, record)
        dead += chunk.dead.length - deadBefore
        session.fillUpTo(record.offset + 1n)
      }
      this.#deadLetterShare.add(run.length, dead)
      observer.decoded(this.at, performance.now() - startedAtMs)
      this.#wake.notify()
    }
    if (this.#isGoingOn(session)) session.fillUpTo(batch.nextOffset)
  }

  /** The writing stage. */
  async #writeAll(session: Session): Promise<void> {
    while (this.#isGoingOn(session)) {
      if (!session.hasChunk) {
        if (session.displaced !== undefined && session.isEmpty) return
        await this.#wake.wait()
        continue
      }
      const release = await this.#context.slots.acquire(this.at.partition)
      const chunk = this.#isGoingOn(session) ? session.takeChunk() : undefined
      if (chunk === undefined) release()
      else await this.#writeChunk(session, chunk, release)
    }
  }

  /** Writes the chunk, however often that takes; gives up only with the session. `release` frees the slot taken for it. */
  async #writeChunk(session: Session, chunk: Chunk, release: () => void): Promise<void> {
    const { store, projection, slots, observer } = this.#context
    const startedAtMs = performance.now()
    let failure = await this.#inSlot(release, () => store.write(this.at, session.position, chunk, projection))
    for (let attempt = 0; failure !== undefined; attempt += 1) {
      observer.retried(this.at)
      await this.#waitOut(failure, attempt, () => this.#isGoingOn(session))
      if (!this.#isGoingOn(session)) return
      failure = await this.#inSlot(await slots.acquire(this.at.partition), async () => {
        if (await this.#isWritten(session, chunk)) return
        await store.write(this.at, session.position, chunk, projection)
      })
    }
    session.written(chunk)
    this.#position = chunk.nextOffset
    this.#writtenTimestampMs = chunk.lastTimestampMs ?? this.#writtenTimestampMs
    this.#resumeFetching(session)
    observer.written(this.at, chunk, performance.now() - startedAtMs)
    this.#wake.notify()
  }

  /** Runs one attempt; answers with the error when it is worth another one, and throws all others. */
  async #inSlot(release: () => void, attempt: () => Promise<void>): Promise<unknown> {
    this.#isWriting = true
    try {
      await attempt()
      return undefined
    } catch (error) {
      if (isTransient(error) || error instanceof CommitOutcomeUnknown) return error
      throw error
    } finally {
      this.#isWriting = false
      release()
    }
  }

  /** Whether the failed attempt has committed all the same. Throws StalePosition when another consumer has moved on. */
  async #isWritten(session: Session, chunk: Chunk): Promise<boolean> {
    const stored = await this.#context.store.load(this.at)
    if (stored?.nextOffset === chunk.nextOffset) return true
    if (stored?.nextOffset === session.position.nextOffset) return false
    throw new StalePosition(
      `the position of ${this.at.topic}/${this.at.partition} is ${stored?.nextOffset}, no longer ${session.position.nextOffset}`,
    )
  }

  #resumeFetching(session: Session): void {
    if (!session.isFetchPaused || session.bufferedRecords > this.#context.bufferedRecordsMax / 2) return
    session.isFetchPaused = false
    this.#context.client.resume(this.at)
  }

  /**
   * The client lost its place and everything before it is written. If the log explains it, PositionLost says how. A
   * batch from elsewhere may come of a change of leader, a doubt of any lost connection; then the loop joins anew, which
   * checks the position. A refusal by the broker is never without a reason.
   */
  async #explainDisplacement(session: Session, { kind, expected, found }: OutOfPlace): Promise<void> {
    this.#context.log.info({ ...this.at, kind, expected, found }, 'fetching went astray; checking the position')
    if (kind !== 'refused') return
    for (let attempt = 0; !this.#isEnding; attempt += 1) {
      try {
        const { logState } = this.#context
        const [identity, range] = await Promise.all([logState.identityOf(this.at.topic), logState.rangeOf(this.at)])
        checkPosition(this.at, session.position, { ...identity, range })
        const what = `the broker refused offset ${expected} as out of range, though the log now reaches from ${range.start} to ${range.end}: it has lost records and grown again`
        throw new PositionLost('refused-offset', this.at, what)
      } catch (error) {
        if (error instanceof PositionLost) throw error
        await this.#waitOut(error, attempt, () => !this.#isEnding)
      }
    }
  }

  /** Waits before the next attempt, no longer than `isWanted` holds. */
  async #waitOut(error: unknown, attempt: number, isWanted: () => boolean): Promise<void> {
    const delayMs = backoffMs(this.#context.retryPolicy, attempt, Math.random())
    this.#context.log.warn({ err: error, ...this.at, attempt, delayMs }, 'a dependency is away; partition paused')
    this.#waits += 1
    let isTimeUp = false
    const timer = setTimeout(() => {
      isTimeUp = true
      this.#wake.notify()
    }, delayMs)
    while (!isTimeUp && isWanted()) await this.#wake.wait()
    clearTimeout(timer)
    this.#waits -= 1
  }
}

/** An answer of the database that will be the same next time: a missing table, a missing right. */
function isOurFault(error: unknown): boolean {
  return sqlStateOf(error) !== undefined && !isTransient(error)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
