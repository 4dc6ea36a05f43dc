import type { EventPosition } from './event-position.ts'
import type { LogRecord } from './ports.ts'
import type { DeadRecord, Failure, ReceivedEvent } from './received-event.ts'

/** How much one transaction may hold. */
export interface ChunkLimits {
  readonly recordsMax: number
  readonly bytesMax: number
}

/**
 * What one transaction will write: decoded records of one partition, in order, however many fetches they came with.
 * It is filled by the decoding stage until it is full or the writing stage takes it.
 */
export class Chunk {
  readonly events: ReceivedEvent[] = []
  readonly dead: DeadRecord[] = []
  /** The offset behind everything in here: the position once it is written. */
  nextOffset: bigint
  /** Records consumed, duplicates included. */
  recordCount = 0
  duplicateCount = 0
  byteCount = 0
  /** Timestamp of the first record, the one that has waited longest. */
  firstTimestampMs: number | undefined
  lastTimestampMs: number | undefined
  /** The highest position of each source and epoch that occurs: one or two. */
  readonly #marks: EventPosition[] = []

  constructor(startOffset: bigint) {
    this.nextOffset = startOffset
  }

  /** The marks as they are behind this chunk, of the sources that occur in it. */
  get marks(): readonly EventPosition[] {
    return this.#marks
  }

  isFull({ recordsMax, bytesMax }: ChunkLimits): boolean {
    return this.recordCount >= recordsMax || this.byteCount >= bytesMax
  }

  addEvent(record: LogRecord, event: ReceivedEvent): void {
    this.#count(record)
    this.events.push(event)
  }

  addDead(record: LogRecord, position: EventPosition | undefined, failure: Failure): void {
    this.#count(record)
    this.dead.push({ record, position, failure })
  }

  addDuplicate(record: LogRecord): void {
    this.#count(record)
    this.duplicateCount += 1
  }

  /** Steps over offsets without records. */
  reach(nextOffset: bigint): void {
    if (nextOffset > this.nextOffset) this.nextOffset = nextOffset
  }

  mark(position: EventPosition): void {
    const known = this.#marks.findIndex(({ source, epoch }) => source === position.source && epoch === position.epoch)
    this.#marks[known < 0 ? this.#marks.length : known] = position
  }

  #count(record: LogRecord): void {
    this.firstTimestampMs ??= record.timestampMs
    this.lastTimestampMs = record.timestampMs
    this.recordCount += 1
    this.byteCount += record.value?.length ?? 0
    this.nextOffset = record.offset + 1n
  }
}
