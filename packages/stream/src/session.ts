import { Chunk, type ChunkLimits } from './chunk.ts'
import { Marks } from './marks.ts'
import type { FetchedBatch, OutOfPlace } from './ports.ts'
import type { StoredPosition } from './position-check.ts'
import type { LoadedPosition } from './position-store.ts'

/**
 * One stretch of contiguous fetching of a partition: from a seek to whatever ends it. Holds what is fetched but not yet
 * written. Marks run ahead with decoding; they are thrown away with the session, never with a part of it.
 */
export class Session {
  /** What the database holds, as far as this session knows. */
  position: StoredPosition
  readonly marks: Marks
  /** Set when the client lost its place: what is buffered is still written, then the session ends. */
  displaced: OutOfPlace | undefined
  isOver = false
  isFetchPaused = false
  isDecoding = false
  readonly #inbox: FetchedBatch[] = []
  readonly #chunks: Chunk[] = []
  readonly #limits: ChunkLimits
  #bufferedRecords = 0
  #filledUpTo: bigint

  constructor(loaded: LoadedPosition, limits: ChunkLimits) {
    this.position = loaded
    this.marks = new Marks(loaded.marks)
    this.#limits = limits
    this.#filledUpTo = loaded.nextOffset
  }

  /** Records fetched but not yet written, whether decoded or not. */
  get bufferedRecords(): number {
    return this.#bufferedRecords
  }

  get hasChunk(): boolean {
    return this.#chunks.length > 0
  }

  /** Nothing waits to be decoded or written. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#inbox.length === 0 && !this.isDecoding
  }

  get oldestTimestampMs(): number | undefined {
    return this.#chunks[0]?.firstTimestampMs ?? this.#inbox[0]?.records[0]?.timestampMs
  }

  receive(batch: FetchedBatch): void {
    this.#inbox.push(batch)
    this.#bufferedRecords += batch.records.length
  }

  nextBatch(): FetchedBatch | undefined {
    return this.#inbox.shift()
  }

  /** The chunk that takes the next record: the newest, or a new one when that is full or taken. */
  fillingChunk(): Chunk {
    const newest = this.#chunks[this.#chunks.length - 1]
    if (newest !== undefined && !newest.isFull(this.#limits)) return newest
    const chunk = new Chunk(this.#filledUpTo)
    this.#chunks.push(chunk)
    return chunk
  }

  /** Everything below is decoded into chunks. Offsets behind the last record count as consumed with it. */
  fillUpTo(nextOffset: bigint): void {
    if (nextOffset > this.#filledUpTo) {
      const chunk = this.#chunks[this.#chunks.length - 1] ?? this.fillingChunk()
      chunk.reach(nextOffset)
      this.#filledUpTo = nextOffset
    }
  }

  takeChunk(): Chunk | undefined {
    return this.#chunks.shift()
  }

  /** The chunk is in the database, and the position behind it. */
  written(chunk: Chunk): void {
    this.position = { ...this.position, nextOffset: chunk.nextOffset }
    this.#bufferedRecords -= chunk.recordCount
  }
}
