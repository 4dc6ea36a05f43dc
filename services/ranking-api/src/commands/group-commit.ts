/**
 * Group commit: commands that arrive while others are being committed are committed together.
 *
 * A command *waits* in the queue, then is *in flight* with others, then is *answered*.
 *
 * - An idle server flushes at once. While a flush is in flight, arriving commands gather; a further flush starts beside it
 *   (up to `flushesMax`) when enough have gathered, else when one lands. Many waiting commands are shared out over all
 *   flushes that may start, so that one is decided here while another is written there.
 * - Commands have a key (the user). Those of one key stay in order: they fly together in one flush or wait, and a key that
 *   is in flight waits until it has landed.
 * - A flush answers each command: `done`, `failed` (that command alone), or `again`: nothing of it was written, or it cannot
 *   be known without another look. Those go back to the head of the queue, in order, before later commands of their key.
 * - Everything is bounded: the queue (`queueMax`), a flush (`commandsPerFlushMax`), the attempts of a command
 *   (`attemptsMax`) and how long it may wait (`waitMsMax`). Past a bound the caller is refused, never forgotten.
 *   A command in flight is never given up: its outcome is learned first.
 * - `stop` refuses new commands and waits until those accepted are answered.
 */

export type Verdict<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: Error }
  /**
   * `lost`: another writer was first. `unavailable`: the database went away. `committed`: the flush was committed, but its
   * answer was lost; the next look finds the result.
   */
  | { readonly kind: 'again'; readonly reason: 'lost' | 'unavailable' | 'committed' }

/** Why a command is not tried (any more). */
export type Denial = 'overloaded' | 'deadline-exceeded' | 'stopping' | 'conflict' | 'unavailable'

/** A command in a flush. */
export interface Attempt<Command> {
  readonly command: Command
  /** Flushes that it was in before this one. */
  readonly attempts: number
  /** An earlier flush of this very call was committed, though nobody could be told. */
  readonly isCommitted: boolean
}

export interface GroupCommitOptions<Command, Result> {
  readonly keyOf: (command: Command) => string
  /** One verdict a command, in order. A rejection fails all of them. */
  readonly flush: (attempts: readonly Attempt<Command>[]) => Promise<readonly Verdict<Result>[]>
  readonly deny: (denial: Denial, attempts: number) => Result
  readonly limits: GroupCommitLimits
  /** For metrics: after each flush. */
  readonly onFlush?: (flush: { commandCount: number; lostCount: number; durationMs: number }) => void
}

export interface GroupCommitLimits {
  /** Flushes in flight at once. */
  readonly flushesMax: number
  /** Commands that must have gathered for a flush beside another one. */
  readonly commandsBesideMin: number
  readonly commandsPerFlushMax: number
  readonly queueMax: number
  readonly attemptsMax: number
  /** How long a command may wait, all its waits together. */
  readonly waitMsMax: number
}

interface Job<Command, Result> extends Attempt<Command> {
  readonly key: string
  readonly expiresAtMs: number
  attempts: number
  isCommitted: boolean
  lastReason: 'lost' | 'unavailable' | 'committed'
  readonly answer: PromiseWithResolvers<Result>
}

/** How often waiting commands are looked through for expired ones. */
const sweepMs = 100

export class GroupCommit<Command, Result> {
  readonly #options: GroupCommitOptions<Command, Result>
  readonly #limits: GroupCommitLimits
  #waiting: Job<Command, Result>[] = []
  readonly #keysInFlight = new Set<string>()
  #flushesInFlight = 0
  #isLaunchDue = false
  #sweep: NodeJS.Timeout | undefined
  #stopping: PromiseWithResolvers<void> | undefined

  constructor(options: GroupCommitOptions<Command, Result>) {
    this.#options = options
    this.#limits = options.limits
  }

  /** Commands that wait, for metrics. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Resolves with the flush's result or a denial; rejects when the command failed. */
  submit(command: Command): Promise<Result> {
    if (this.#stopping !== undefined) return Promise.resolve(this.#options.deny('stopping', 0))
    if (this.#waiting.length >= this.#limits.queueMax) return Promise.resolve(this.#options.deny('overloaded', 0))
    const answer = Promise.withResolvers<Result>()
    this.#waiting.push({
      command,
      key: this.#options.keyOf(command),
      expiresAtMs: performance.now() + this.#limits.waitMsMax,
      attempts: 0,
      isCommitted: false,
      lastReason: 'lost',
      answer,
    })
    this.#sweep ??= setInterval(() => this.#denyExpired(), sweepMs)
    this.#launchSoon()
    return answer.promise
  }

  /** Resolves when every accepted command has been answered. */
  stop(): Promise<void> {
    this.#stopping ??= Promise.withResolvers<void>()
    this.#settleStop()
    return this.#stopping.promise
  }

  /** In this turn of the event loop, but after all that it still has to deliver: what arrives together flies together. */
  #launchSoon(): void {
    if (this.#isLaunchDue) return
    this.#isLaunchDue = true
    setImmediate(() => {
      this.#isLaunchDue = false
      this.#launch()
    })
  }

  #launch(): void {
    while (this.#flushesInFlight < this.#limits.flushesMax) {
      const countMin = this.#flushesInFlight === 0 ? 1 : this.#limits.commandsBesideMin
      const jobs = this.#board(countMin)
      if (jobs.length === 0) return
      void this.#fly(jobs)
    }
  }

  /** Takes the next commands whose key is not in flight off the queue; none when there are fewer than `countMin`. */
  #board(countMin: number): Job<Command, Result>[] {
    if (this.#waiting.length < countMin) return []
    const { commandsBesideMin, commandsPerFlushMax, flushesMax } = this.#limits
    const share = Math.ceil(this.#waiting.length / (flushesMax - this.#flushesInFlight))
    const countMax = Math.min(commandsPerFlushMax, Math.max(commandsBesideMin, share))
    const boarding: Job<Command, Result>[] = []
    const staying: Job<Command, Result>[] = []
    for (const job of this.#waiting) {
      if (boarding.length < countMax && !this.#keysInFlight.has(job.key)) boarding.push(job)
      else staying.push(job)
    }
    if (boarding.length < countMin) return []
    this.#waiting = staying
    return boarding
  }

  async #fly(jobs: readonly Job<Command, Result>[]): Promise<void> {
    const startedMs = performance.now()
    this.#flushesInFlight += 1
    for (const { key } of jobs) this.#keysInFlight.add(key)
    const verdicts = await this.#flush(jobs)
    this.#flushesInFlight -= 1
    for (const { key } of jobs) this.#keysInFlight.delete(key)
    const returning = jobs.filter((job, index) => !this.#settle(job, verdicts[index]))
    if (returning.length > 0) this.#waiting = [...returning, ...this.#waiting]
    const lostCount = verdicts.filter((verdict) => verdict.kind === 'again' && verdict.reason === 'lost').length
    this.#options.onFlush?.({ commandCount: jobs.length, lostCount, durationMs: performance.now() - startedMs })
    this.#launchSoon()
    this.#settleStop()
  }

  async #flush(jobs: readonly Job<Command, Result>[]): Promise<readonly Verdict<Result>[]> {
    try {
      return await this.#options.flush(jobs)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      return jobs.map(() => ({ kind: 'failed', error }))
    }
  }

  /** Answers the job if its verdict is final; false when it has to fly again. */
  #settle(job: Job<Command, Result>, verdict: Verdict<Result> | undefined): boolean {
    switch (verdict?.kind) {
      case 'done':
        job.answer.resolve(verdict.result)
        return true
      case 'failed':
        job.answer.reject(verdict.error)
        return true
      case 'again':
        job.attempts += 1
        job.lastReason = verdict.reason
        if (verdict.reason === 'committed') job.isCommitted = true
        if (job.attempts < this.#limits.attemptsMax) return false
        job.answer.resolve(this.#options.deny(verdict.reason === 'lost' ? 'conflict' : 'unavailable', job.attempts))
        return true
      default:
        job.answer.reject(new Error('the flush gave no verdict for a command'))
        return true
    }
  }

  #denyExpired(): void {
    const nowMs = performance.now()
    const expired = this.#waiting.filter((job) => job.expiresAtMs <= nowMs)
    if (expired.length > 0) this.#waiting = this.#waiting.filter((job) => job.expiresAtMs > nowMs)
    for (const job of expired) {
      const denial = job.attempts > 0 && job.lastReason !== 'lost' ? 'unavailable' : 'deadline-exceeded'
      job.answer.resolve(this.#options.deny(denial, job.attempts))
    }
    this.#settleStop()
    if (this.#waiting.length > 0 || this.#flushesInFlight > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #settleStop(): void {
    if (this.#waiting.length > 0 || this.#flushesInFlight > 0) return
    if (this.#stopping === undefined) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
    // After the answers have reached their callers.
    setImmediate(this.#stopping.resolve)
  }
}
