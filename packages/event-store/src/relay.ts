/**
 * The relay publishes what the event store holds: every committed event, in order, at least once. Any number may run;
 * one leads.
 *
 *   connecting ──session open──▶ standby ──lock taken, cursor loaded──▶ leading
 *       ▲                           ▲                                       │
 *       │                           └── cursor moved by someone else ───────┤
 *       └────────── session lost, or an error of the database ──────────────┘        stop ─▶ page in flight ends ─▶ stopped
 *
 * Leading, for each page: read it behind the cursor, below the horizon; send it; when the broker has acknowledged all of
 * it, move the cursor by compare-and-set. Behind a full page the next one is read while this one is on its way, so the
 * producer hardly waits; it is sent only after this one was acknowledged.
 *
 * What holds throughout:
 * - Order. Pages are read in (xid, position) order and sent one after the other. Only transactions below the horizon are
 *   read, all of which have ended, so no row can appear behind the cursor.
 * - Nothing is skipped. The cursor only moves over acknowledged pages, and only from where this relay had put it. A
 *   leader whose process was stopped is silent, and the server ends its session; when it goes on it finds that session,
 *   which holds the lock and does all of its reads and writes, gone, or the cursor moved, and begins again.
 * - Duplicates happen: a relay killed between acknowledgement and cursor sends the page again. They carry the same
 *   positions and consumers drop them.
 * - A broker that is away is waited for with the same page; so is a record that it refuses, which is a fault to be seen
 *   and never to be skipped.
 *
 * An idle relay waits for a notification (`relay-waker.ts`) or `pollMs`. When rows wait for the horizon it looks again
 * after 1 to 5 ms, because the commit that moves the horizon may have written no events and notify nobody.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { inlineStatement, type Pool, type Session } from '@bellyfed/postgres'
import type { Logger, Metrics, Part } from '@bellyfed/process'
import type { LogProducer, TopicRecords } from '@bellyfed/stream'
import { AlarmClock } from './alarm-clock.ts'
import { createBackoff } from './backoff.ts'
import { assertClusterNotBehind } from './epoch.ts'
import type { Position } from './events.ts'
import { HorizonWatch, heldBackBy, holderOf } from './horizon.ts'
import { loadCursor, moveCursor, tryLead } from './relay-cursor.ts'
import { type Page, readPage, recordsOf, schemaIdsOf } from './relay-page.ts'
import { relayChannel } from './relay-waker.ts'

/** What the relay measures; `Metrics` of @bellyfed/process has it all. */
export type RelayMetrics = Pick<
  Metrics,
  | 'relayPublishedTotal'
  | 'relayBatchSizeRecords'
  | 'relayPublishSeconds'
  | 'relayDelaySeconds'
  | 'relayHorizonAgeSeconds'
  | 'relayIsLeader'
  | 'relayFailuresTotal'
>

export interface RelayOptions {
  /** Of the service's schema. The relay opens one session besides. */
  readonly pool: Pool
  /** Idempotent, acks from all replicas, one request in flight. Connected and disconnected by the relay. */
  readonly producer: LogProducer
  /** The name under which positions are known: `ranking-api`. */
  readonly source: string
  readonly topicPrefix: string
  /** The registry's id of a schema that the store knows by `schemaId`; asked once per id. */
  registrySchemaId(schemaId: number): Promise<number>
  readonly log: Logger
  readonly metrics: RelayMetrics
  /** Records in one page at most; default 1,000. */
  readonly batchSizeMax?: number
  /** Longest wait without a notification; default 200. */
  readonly pollMs?: number
  /** How long one transaction may hold publication back before the alarm; default 10,000. */
  readonly horizonAlarmMs?: number
  /** How often a standby asks for the lock; default 500. */
  readonly standbyMs?: number
  /** Longest silence of a leader before it loses the lead, as when its process is stopped; default 10,000. */
  readonly silenceMsMax?: number
}

/** Where the relay is in its life, for tests, readiness and logs. */
export type RelayState = 'connecting' | 'standby' | 'leading' | 'stopped'

export interface Relay extends Part {
  readonly state: RelayState
  /** The last position whose page was acknowledged and stored, while this relay leads. */
  readonly cursor: Position | undefined
}

/** The cursor is not where this relay left it: someone else leads, or has led. */
class CursorMoved extends Error {}

/** The relay was asked to stop while it waited for something. */
class Stopping extends Error {}

/** One time of leading: it lasts as long as the session, which holds the lock, and reads positions of one epoch. */
interface Term {
  readonly session: Session
  readonly epoch: number
  isOpen(): boolean
}

/** A page ready to be sent. */
interface PreparedPage extends Page {
  readonly batches: readonly TopicRecords[]
}

// Rows behind the horizon: the transaction that holds it is mostly over in a millisecond.
const heldBackMsMin = 1
const heldBackMsMax = 5
// A horizon held for longer than a second is a long transaction; looking 200 times a second would only cost.
const longHeldBackMs = 1_000
const longHeldBackPollMs = 50
// How long a stop waits for the acknowledgement of the page in flight; giving it up costs duplicates.
const drainMsMax = 5_000

// - synchronous_commit: a cursor that a crash of the server sets back costs duplicates; waiting for the disk, every page.
// - enable_seqscan: every look is at one end of an index; a plan made while the table was small would read all of it.
// - idle_session_timeout: a leader that was stopped without being killed keeps its connection, and with it the lock. It is
//   silent, so the server ends its session and another takes over.
const setSession = inlineStatement(
  'relay-session',
  `select set_config('synchronous_commit', 'off', false), set_config('enable_seqscan', 'off', false),
     set_config('idle_session_timeout', $1, false)`,
)
const signOfLife = inlineStatement('relay-sign-of-life', 'select 1')
const signsOfLifePerSilence = 5

class EventRelay implements Relay {
  readonly name = 'relay'
  readonly #options: Required<RelayOptions>
  readonly #clock = new AlarmClock()
  readonly #stopping = new AbortController()
  readonly #registryIds = new Map<number, number>()
  readonly #horizon: HorizonWatch
  #state: RelayState = 'connecting'
  #cursor: Position | undefined
  #failure: Error | undefined
  #running: Promise<void> | undefined
  #abandonSend: (() => void) | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: RelayOptions) {
    this.#options = {
      batchSizeMax: 1_000,
      pollMs: 200,
      horizonAlarmMs: 10_000,
      standbyMs: 500,
      silenceMsMax: 10_000,
      ...options,
    }
    this.#horizon = new HorizonWatch(this.#options.horizonAlarmMs)
  }

  get state(): RelayState {
    return this.#state
  }

  get cursor(): Position | undefined {
    return this.#cursor
  }

  async start(): Promise<void> {
    await assertClusterNotBehind(this.#options.pool)
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#clock.ring()
    const givingUp = setTimeout(() => this.#abandonSend?.(), drainMsMax)
    await this.#running
    clearTimeout(givingUp)
    await this.#options.producer.disconnect()
  }

  async check(): Promise<void> {
    if (this.#failure) throw this.#failure
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  async #run(): Promise<void> {
    const backoff = createBackoff(100, 5_000)
    while (!this.#isStopping) {
      try {
        await this.#attend(() => backoff.reset())
      } catch (error) {
        this.#enter('connecting')
        if (this.#isStopping) break
        this.#fail('database', error)
        await this.#rest(backoff.next())
      }
    }
    this.#enter('stopped')
  }

  /** One session: standby until the lock is ours, then leading for as long as the cursor is. */
  async #attend(onWorking: () => void): Promise<void> {
    const { pool, source, standbyMs, log } = this.#options
    const session = await pool.session()
    try {
      await session.listen(relayChannel(pool.schema), () => this.#clock.ring())
      this.#enter('standby')
      while (!this.#isStopping) {
        const isLeader = await tryLead(session, source)
        onWorking()
        this.#failure = undefined
        if (isLeader) {
          log.info({ source }, 'this relay leads')
          await this.#lead(session)
        } else {
          await this.#rest(standbyMs * (0.75 + Math.random() / 2))
        }
      }
    } finally {
      await session.close()
    }
  }

  async #lead(session: Session): Promise<void> {
    const { source, producer, log, silenceMsMax } = this.#options
    let isSessionOpen = true
    session.onEnd(() => {
      isSessionOpen = false
      this.#clock.ring()
    })
    // Waiting for the broker must not look like silence.
    const heart = setInterval(() => session.query(signOfLife).catch(() => {}), silenceMsMax / signsOfLifePerSilence)
    try {
      await session.query(setSession, [silenceMsMax])
      await this.#persist(
        'connect',
        () => isSessionOpen,
        () => producer.connect(),
      )
      const cursor = await loadCursor(session, source)
      this.#cursor = cursor
      this.#enter('leading')
      await this.#publish({ session, epoch: cursor.epoch, isOpen: () => isSessionOpen }, cursor)
    } catch (error) {
      if (error instanceof CursorMoved) {
        log.warn({ source }, 'another relay has moved the cursor: loading it again')
      } else if (!(error instanceof Stopping)) {
        throw error
      }
    } finally {
      clearInterval(heart)
      this.#enter('standby')
    }
  }

  async #publish(term: Term, cursor: Position): Promise<void> {
    let page = await this.#read(term, cursor)
    while (!this.#isStopping) {
      if (page.rows.length === 0) {
        await this.#idle(term, page.end)
        page = await this.#read(term, page.end)
        continue
      }
      const sending = this.#send(term, page)
      // Behind a page that is not full there is hardly anything yet; reading it later brings more.
      const ahead = page.rows.length === this.#options.batchSizeMax ? this.#readAhead(term, page.end) : undefined
      await sending
      const moving = moveCursor(term.session, this.#options.source, page.from, page.end)
      const reading = ahead ?? this.#readAhead(term, page.end)
      if (!(await moving)) throw new CursorMoved()
      this.#cursor = page.end
      page = await reading
    }
  }

  /** A read whose failure is looked at later; should something else fail first, it must not be left unhandled. */
  #readAhead(term: Term, from: Position): Promise<PreparedPage> {
    const reading = this.#read(term, from)
    reading.catch(() => {})
    return reading
  }

  /** Reads and prepares the page behind a position. Rings before the read are forgotten: it sees what they announced. */
  async #read(term: Term, from: Position): Promise<PreparedPage> {
    const { batchSizeMax, source, topicPrefix } = this.#options
    this.#clock.clear()
    const page = await readPage(term.session, from, batchSizeMax)
    for (const schemaId of schemaIdsOf(page)) await this.#learnRegistryId(term, schemaId)
    return { ...page, batches: recordsOf(page, { source, epoch: term.epoch, topicPrefix }, this.#registryIds) }
  }

  async #learnRegistryId(term: Term, schemaId: number): Promise<void> {
    if (this.#registryIds.has(schemaId)) return
    const registryId = await this.#persist('registry', term.isOpen, () => this.#options.registrySchemaId(schemaId))
    this.#registryIds.set(schemaId, registryId)
  }

  async #send(term: Term, page: PreparedPage): Promise<void> {
    const { metrics, producer } = this.#options
    await this.#persist('send', term.isOpen, async () => {
      const sentAtMs = performance.now()
      await this.#acknowledged(producer.send(page.batches))
      metrics.relayPublishSeconds.observe((performance.now() - sentAtMs) / 1_000)
    })
    const nowMs = Date.now()
    metrics.relayBatchSizeRecords.observe(page.rows.length)
    for (const { topic, records } of page.batches) {
      metrics.relayPublishedTotal.inc({ topic }, records.length)
      const oldest = records[0]
      if (oldest) metrics.relayDelaySeconds.observe(Math.max(0, nowMs - oldest.timestampMs) / 1_000)
    }
  }

  /** Nothing to publish: waits for the horizon, for a notification or for the poll interval. */
  async #idle({ session }: Term, cursor: Position): Promise<void> {
    const { pollMs, metrics } = this.#options
    const nowMs = performance.now()
    // Something was committed since the read; a look at the horizon is due only now and then.
    if (this.#clock.isRung && nowMs - this.#lookedAtMs < heldBackMsMax) return
    this.#lookedAtMs = nowMs
    const horizon = await heldBackBy(session, cursor)
    const isAlarmDue = this.#horizon.see(horizon)
    const ageMs = this.#horizon.ageMs
    metrics.relayHorizonAgeSeconds.set(ageMs / 1_000)
    if (isAlarmDue && horizon !== undefined) await this.#raiseAlarm(session, horizon)
    if (horizon === undefined) await this.#clock.sleep(pollMs)
    else if (ageMs > longHeldBackMs) await this.#clock.sleep(Math.min(longHeldBackPollMs, pollMs))
    else await this.#clock.sleep(Math.min(heldBackMsMax, heldBackMsMin + ageMs / 2))
  }

  async #raiseAlarm(session: Session, horizon: bigint): Promise<void> {
    const holder = await holderOf(session, horizon)
    this.#options.log.error(
      { source: this.#options.source, horizon: String(horizon), heldBackMs: Math.round(this.#horizon.ageMs), holder },
      'publication stands still: a long write transaction holds the horizon',
    )
  }

  /** Tries again, with backoff, for as long as this relay leads and is not stopping. Never gives up by itself. */
  async #persist<Result>(stage: string, isLeading: () => boolean, attempt: () => Promise<Result>): Promise<Result> {
    const backoff = createBackoff(50, 5_000)
    for (;;) {
      try {
        const result = await attempt()
        this.#failure = undefined
        return result
      } catch (error) {
        if (this.#isStopping) throw new Stopping()
        this.#fail(stage, error)
        if (!isLeading()) throw error
        await this.#rest(backoff.next())
        if (this.#isStopping) throw new Stopping()
      }
    }
  }

  /** The send's outcome, unless a stop gives up waiting for it. */
  #acknowledged(sending: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#abandonSend = () => reject(new Stopping())
      sending.then(resolve, reject)
    })
  }

  #enter(state: RelayState): void {
    this.#state = state
    if (state !== 'leading') this.#cursor = undefined
    this.#options.metrics.relayIsLeader.set(state === 'leading' ? 1 : 0)
  }

  #fail(stage: string, error: unknown): void {
    this.#failure = error instanceof Error ? error : new Error(String(error))
    this.#options.metrics.relayFailuresTotal.inc({ stage })
    this.#options.log.warn({ err: error, stage, source: this.#options.source }, 'the relay waits and tries again')
  }

  async #rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }
}

/** Creates a relay; `start` returns at once, whether or not this one leads. */
export function createRelay(options: RelayOptions): Relay {
  return new EventRelay(options)
}
