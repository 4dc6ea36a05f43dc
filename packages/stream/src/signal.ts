/** Wakes whoever waits, once. A wake that nobody waits for is forgotten, so a waiter looks before it waits. */
export class Signal {
  #next = Promise.withResolvers<void>()

  notify(): void {
    const woken = this.#next
    this.#next = Promise.withResolvers<void>()
    woken.resolve()
  }

  wait(): Promise<void> {
    return this.#next.promise
  }
}
