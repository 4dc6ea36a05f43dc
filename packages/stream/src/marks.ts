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
  /** The mark that was asked for last: a partition has one source and epoch for nearly all of its records. */
  #latest: EventPosition | undefined

  constructor(stored: readonly EventPosition[] = []) {
    for (const mark of stored) this.#marks.set(keyOf(mark), mark)
  }

  /** Moves the mark up to `position` and says so, or leaves it where it is, because the position was passed before. */
  pass(position: EventPosition): boolean {
    const mark = this.#markOf(position)
    if (mark !== undefined && isAtOrBelow(position, mark)) return false
    this.#latest = position
    if (mark === undefined) this.#marks.set(keyOf(position), position)
    return true
  }

  #markOf(position: EventPosition): EventPosition | undefined {
    const latest = this.#latest
    if (latest !== undefined && isOfSameOrigin(latest, position)) return latest
    if (latest !== undefined) this.#marks.set(keyOf(latest), latest)
    this.#latest = this.#marks.get(keyOf(position))
    return this.#latest
  }
}

function isOfSameOrigin(a: EventPosition, b: EventPosition): boolean {
  return a.source === b.source && a.epoch === b.epoch
}

function keyOf({ source, epoch }: EventPosition): string {
  return `${source}/${epoch}`
}
