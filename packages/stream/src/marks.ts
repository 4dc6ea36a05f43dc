/**
 * High-water marks of one partition, per source and epoch.
 *
 * A source's relays publish a partition's events in the order of their positions, each from a cursor below which
 * everything is in the log. So of any mixture of relays' sends, the first copy of an event comes after the first copies
 * of all lower ones: what arrives at or below the mark has been here before.
 */
import { type EventPosition, isAtOrBelow } from './event-position.ts'

export class Marks {
  readonly #marks = new Map<string, EventPosition>()

  constructor(stored: readonly EventPosition[] = []) {
    for (const mark of stored) this.#marks.set(keyOf(mark), mark)
  }

  hasPassed(position: EventPosition): boolean {
    const mark = this.#marks.get(keyOf(position))
    return mark !== undefined && isAtOrBelow(position, mark)
  }

  /** Moves the mark up to `position`; never down. */
  raise(position: EventPosition): void {
    if (!this.hasPassed(position)) this.#marks.set(keyOf(position), position)
  }

  values(): readonly EventPosition[] {
    return [...this.#marks.values()]
  }
}

function keyOf({ source, epoch }: EventPosition): string {
  return `${source}/${epoch}`
}
