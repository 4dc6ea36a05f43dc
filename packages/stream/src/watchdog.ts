/**
 * Notices a consumer that should make progress and makes none, which no error tells: a client that has silently ceased
 * to fetch, a promise that never settles.
 *
 * A partition is stuck while, at every look, there is lag, no transaction is in flight, nothing waits for a dependency,
 * and the position has not moved. A look that could not ask the broker clears the suspicion: a broker that is away is
 * not our fault. Nor is a position that is lost: an operator has to decide, and the other partitions must go on.
 *
 *   watching ─(stuck for `stuckMsMax`)─▶ restart the client once ─(stuck again as long)─▶ give up: the process ends
 *       ▲──────────────(progress of the stuck partition)──────────────┘
 */
import type { TopicPartition } from './ports.ts'

/** One partition as the watchdog sees it. */
export interface Watched extends TopicPartition {
  readonly position: bigint | undefined
  /** As the broker has just said; undefined when it could not be asked. */
  readonly endOffset: bigint | undefined
  readonly isWriting: boolean
  /** A dependency is away, or an operator has to act. */
  readonly isExcused: boolean
}

export type Verdict =
  | { readonly kind: 'fine' }
  | { readonly kind: 'restart'; readonly stuck: readonly TopicPartition[] }
  | { readonly kind: 'give-up'; readonly stuck: readonly TopicPartition[] }

interface Suspicion {
  readonly position: bigint | undefined
  readonly sinceMs: number
}

export class Watchdog {
  readonly #stuckMsMax: number
  readonly #suspicions = new Map<string, Suspicion>()
  /** Partitions for whose sake the client was restarted and that have not moved since, with where they stood. */
  readonly #restartedFor = new Map<string, bigint | undefined>()
  #restartedAtMs: number | undefined

  constructor(stuckMsMax: number) {
    this.#stuckMsMax = stuckMsMax
  }

  look(nowMs: number, partitions: readonly Watched[]): Verdict {
    this.#forgetAbsent(partitions)
    const stuck = partitions.filter((partition) => this.#isStuck(nowMs, partition))
    if (stuck.length === 0) return { kind: 'fine' }
    if (this.#restartedAtMs !== undefined && nowMs - this.#restartedAtMs < this.#stuckMsMax) return { kind: 'fine' }
    const again = stuck.filter((partition) => this.#restartedFor.has(keyOf(partition)))
    if (again.length > 0) return { kind: 'give-up', stuck: again }
    for (const partition of stuck) this.#restartedFor.set(keyOf(partition), partition.position)
    this.#restartedAtMs = nowMs
    return { kind: 'restart', stuck }
  }

  #isStuck(nowMs: number, partition: Watched): boolean {
    const key = keyOf(partition)
    const { position, endOffset, isWriting, isExcused } = partition
    if (this.#restartedFor.has(key) && position !== undefined && position !== this.#restartedFor.get(key)) {
      this.#restartedFor.delete(key)
    }
    const hasLag = endOffset !== undefined && (position === undefined || position < endOffset)
    if (!hasLag || isWriting || isExcused) {
      this.#suspicions.delete(key)
      return false
    }
    const suspicion = this.#suspicions.get(key)
    // A loop that was begun anew has no position until it has loaded it; that is no progress.
    if (suspicion === undefined || (position !== undefined && suspicion.position !== position)) {
      this.#suspicions.set(key, { position, sinceMs: nowMs })
      return false
    }
    return nowMs - suspicion.sinceMs >= this.#stuckMsMax
  }

  #forgetAbsent(partitions: readonly Watched[]): void {
    const present = new Set(partitions.map(keyOf))
    for (const key of this.#suspicions.keys()) if (!present.has(key)) this.#suspicions.delete(key)
    for (const key of this.#restartedFor.keys()) if (!present.has(key)) this.#restartedFor.delete(key)
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
