/**
 * Bounds the transactions of one consumer: at most `count` at once, and at most one for each partition number. The
 * database serialises a partition number anyway (advisory lock); waiting for it here does not hold a connection.
 */
export class TransactionSlots {
  #free: number
  readonly #busyPartitions = new Set<number>()
  readonly #waiting: { readonly partition: number; readonly grant: () => void }[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves with the release of a slot, in the order of asking as far as partition numbers allow. */
  acquire(partition: number): Promise<() => void> {
    return new Promise((resolve) => {
      const grant = () => resolve(() => this.#release(partition))
      this.#waiting.push({ partition, grant })
      this.#grantNext()
    })
  }

  #release(partition: number): void {
    this.#free += 1
    this.#busyPartitions.delete(partition)
    this.#grantNext()
  }

  #grantNext(): void {
    for (let index = 0; index < this.#waiting.length && this.#free > 0; ) {
      const waiter = this.#waiting[index]
      if (waiter === undefined || this.#busyPartitions.has(waiter.partition)) {
        index += 1
        continue
      }
      this.#waiting.splice(index, 1)
      this.#free -= 1
      this.#busyPartitions.add(waiter.partition)
      waiter.grant()
    }
  }
}
