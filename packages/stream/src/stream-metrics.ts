/** How one stream (a topic, as one consumer group reads it) is doing, over the last minute and now. */
export interface StreamMetrics {
  readonly stream: string
  readonly group: string
  /** Records a second. */
  readonly throughput: number
  /** Mean milliseconds from a record's timestamp (an event's acceptance) to its commit in the projection. */
  readonly latency: number
  /** Share of records that ended as dead letters, and of attempts that failed, 0 to 1; the larger of the two. */
  readonly errorRate: number
  /** Partitions that this process consumes. */
  readonly partitionCount: number
  /** Records that are in the log and not yet applied. */
  readonly consumerLag: number
  /** Age of the oldest record not yet applied; 0 without lag. */
  readonly consumerLagSeconds: number
  /** Partitions that stopped on a fault, with the reason. */
  readonly stopped: readonly { readonly partition: number; readonly reason: string }[]
}

const windowSeconds = 60

interface Second {
  second: number
  records: number
  dead: number
  latencyMsSum: number
  attempts: number
  failures: number
}

/** Sums over the last minute, second by second. Times are milliseconds of any clock that does not go back. */
export class MinuteWindow {
  readonly #seconds: Second[] = []

  addWritten(nowMs: number, written: { records: number; dead: number; latencyMsMean: number }): void {
    const current = this.#at(nowMs)
    current.attempts += 1
    current.records += written.records
    current.dead += written.dead
    current.latencyMsSum += written.latencyMsMean * written.records
  }

  addFailure(nowMs: number): void {
    const current = this.#at(nowMs)
    current.attempts += 1
    current.failures += 1
  }

  summary(nowMs: number): Pick<StreamMetrics, 'throughput' | 'latency' | 'errorRate'> {
    this.#forget(nowMs)
    const sum = (of: (second: Second) => number) => this.#seconds.reduce((total, second) => total + of(second), 0)
    const records = sum((second) => second.records)
    const attempts = sum((second) => second.attempts)
    const deadShare = share(
      sum((second) => second.dead),
      records,
    )
    const failedShare = share(
      sum((second) => second.failures),
      attempts,
    )
    return {
      throughput: records / windowSeconds,
      latency: share(
        sum((second) => second.latencyMsSum),
        records,
      ),
      errorRate: Math.max(deadShare, failedShare),
    }
  }

  #at(nowMs: number): Second {
    const second = Math.floor(nowMs / 1_000)
    const last = this.#seconds[this.#seconds.length - 1]
    if (last?.second === second) return last
    this.#forget(nowMs)
    const fresh = { second, records: 0, dead: 0, latencyMsSum: 0, attempts: 0, failures: 0 }
    this.#seconds.push(fresh)
    return fresh
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / 1_000) - windowSeconds
    while (this.#seconds[0] !== undefined && this.#seconds[0].second <= oldest) this.#seconds.shift()
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
