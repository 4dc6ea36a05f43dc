import type { FetchedBatch, TopicPartition } from '../ports.ts'

/** Whether a batch continues where the one before ended; if not, where it should have begun, when anybody knows. */
export type Placement = { readonly inPlace: true } | { readonly inPlace: false; readonly expected: bigint | undefined }

/**
 * Where the next batch of each assigned partition has to begin. A partition without a place (assigned but not yet
 * sought, or thrown out by the broker) accepts nothing.
 */
export class FetchPositions {
  readonly #next = new Map<string, bigint | undefined>()
  #assignment: readonly TopicPartition[] = []

  /** A new assignment: all partitions wait for a seek. */
  assign(assignment: readonly TopicPartition[]): void {
    this.#next.clear()
    this.#assignment = assignment
    for (const partition of assignment) this.#next.set(keyOf(partition), undefined)
  }

  /** Sets the place; false when the partition is not assigned. */
  seek(partition: TopicPartition, offset: bigint): boolean {
    const key = keyOf(partition)
    if (!this.#next.has(key)) return false
    this.#next.set(key, offset)
    return true
  }

  isPlaced(partition: TopicPartition): boolean {
    return this.#next.get(keyOf(partition)) !== undefined
  }

  /** Moves behind the batch when it is in place; otherwise takes the place away, so that nothing more is accepted. */
  advance(batch: FetchedBatch): Placement {
    const key = keyOf(batch)
    const expected = this.#next.get(key)
    if (expected !== undefined && batch.fetchedFrom === expected) {
      this.#next.set(key, batch.nextOffset)
      return { inPlace: true }
    }
    if (expected !== undefined) this.#next.set(key, undefined)
    return { inPlace: false, expected }
  }

  /** Steps over offsets that hold no records. Answers where the step began, or undefined when it does not move on. */
  step(partition: TopicPartition, nextOffset: bigint): bigint | undefined {
    const key = keyOf(partition)
    const expected = this.#next.get(key)
    if (expected === undefined || nextOffset <= expected) return undefined
    this.#next.set(key, nextOffset)
    return expected
  }

  /** Takes the place away. Answers what it was. */
  displace(partition: TopicPartition): bigint | undefined {
    const key = keyOf(partition)
    const expected = this.#next.get(key)
    if (expected !== undefined) this.#next.set(key, undefined)
    return expected
  }

  /** Takes the place of every partition that has one. */
  displaceAll(): readonly (TopicPartition & { readonly expected: bigint })[] {
    return this.#assignment.flatMap((partition) => {
      const expected = this.displace(partition)
      return expected === undefined ? [] : [{ ...partition, expected }]
    })
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
