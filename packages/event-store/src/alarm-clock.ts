/**
 * A pause that can be ended early. A ring while nobody sleeps is remembered and ends the next sleep at once: a commit
 * that is announced while a page is being read must not wait for the next poll.
 */
export class AlarmClock {
  #isRung = false
  #end: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#end?.()
  }

  /** Forgets a ring: what it announced is about to be looked at anyway. */
  clear(): void {
    this.#isRung = false
  }

  get isRung(): boolean {
    return this.#isRung
  }

  /** Resolves after `ms`, or as soon as the clock rings; a ring that came before ends it at once. */
  async sleep(ms: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#end = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#end = undefined
    }
    this.#isRung = false
  }
}
