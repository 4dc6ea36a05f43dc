/**
 * Reads Avro's primitives from bytes that nobody vouches for. Where avsc reads on past the end and checks afterwards,
 * each method here refuses before it reads, skips or allocates. So no claim in the bytes costs more than the bytes.
 */
import { InvalidPayload } from './invalid-payload.ts'

/**
 * Items that take no bytes (nulls, empty records) cannot be bounded by what remains, only by a budget for the payload.
 * No schema of ours has any.
 */
const zeroWidthItemsMax = 1_024

/** Up to this size, strings are cut from one decoding of the whole payload; a string then holds on to that much. */
const sharedTextBytesMax = 4_096

/** Up to this length, looking at each byte in JavaScript is cheaper than one call into native code (measured: 90). */
const scannedStringBytesMax = 80

const nothing = Buffer.alloc(0)

const safeLongMax = 9_007_199_254_740_990

export class Cursor {
  #bytes: Buffer = nothing
  #text = ''
  #at = 0
  #end = 0
  #zeroWidthItems = 0

  /** Starts over at `start` of these bytes. */
  open(bytes: Buffer, start: number): void {
    this.#bytes = bytes
    this.#text = bytes.length <= sharedTextBytesMax ? bytes.toString('latin1') : ''
    this.#at = start
    this.#end = bytes.length
    this.#zeroWidthItems = 0
  }

  /** Forgets the bytes, so that the cursor does not keep them. @throws InvalidPayload when some were not read. */
  close(): void {
    const trailing = this.#end - this.#at
    this.#bytes = nothing
    this.#text = ''
    if (trailing > 0) throw new InvalidPayload('trailing-bytes', { bytes: trailing })
  }

  boolean(): boolean {
    if (this.#at >= this.#end) throw truncated()
    const byte = this.#bytes[this.#at++] as number
    if (byte > 1) throw new InvalidPayload('malformed', { boolean: byte })
    return byte === 1
  }

  /** A zigzag varint of up to 64 bits as a safe integer; a larger one is refused, not rounded. */
  long(): number {
    if (this.#at >= this.#end) throw truncated()
    const byte = this.#bytes[this.#at] as number
    if (byte < 0x80) {
      this.#at++
      return (byte >>> 1) ^ -(byte & 1)
    }
    return this.#longOfManyBytes()
  }

  #longOfManyBytes(): number {
    let low = 0
    let high = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#end) throw truncated()
      const byte = this.#bytes[this.#at++] as number
      if (count < 4) low |= (byte & 0x7f) << (7 * count)
      else {
        high += (byte & 0x7f) * scale
        scale *= 128
      }
      if (byte < 0x80) {
        const magnitude = high * 0x8000000 + (low >>> 1)
        const value = low & 1 ? -magnitude - 1 : magnitude
        if (value > safeLongMax || value < -safeLongMax) throw new InvalidPayload('malformed', { long: String(value) })
        return value
      }
    }
    throw new InvalidPayload('malformed', { varintBytes: 11 })
  }

  int(): number {
    const value = this.long()
    if (value !== (value | 0)) throw new InvalidPayload('malformed', { int: value })
    return value
  }

  float(): number {
    return this.#bytes.readFloatLE(this.skip(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.skip(8))
  }

  /** An index below `count`: of a union's branches or an enum's symbols. */
  index(count: number): number {
    const value = this.long()
    if (value < 0 || value >= count) throw new InvalidPayload('malformed', { index: value, count })
    return value
  }

  string(): string {
    const length = this.#length()
    const start = this.skip(length)
    const stop = start + length
    if (length <= scannedStringBytesMax && this.#text !== '') {
      const bytes = this.#bytes
      let seen = 0
      for (let at = start; at < stop; at++) seen |= bytes[at] as number
      if (seen < 0x80) return this.#text.substring(start, stop)
    }
    return this.#bytes.toString('utf8', start, stop)
  }

  /** A copy, so that a kept value does not keep the batch that it came in. */
  bytes(): Buffer {
    const length = this.#length()
    const start = this.skip(length)
    return Buffer.from(this.#bytes.subarray(start, start + length))
  }

  skipLengthPrefixed(): void {
    this.skip(this.#length())
  }

  /** Passes over so many bytes. Returns where they began. */
  skip(length: number): number {
    const start = this.#at
    if (length > this.#end - start) throw truncated()
    this.#at = start + length
    return start
  }

  #length(): number {
    const length = this.long()
    if (length < 0) throw new InvalidPayload('malformed', { length })
    return length
  }

  /**
   * Calls `item` for each item of an array or map, block by block, after checking that the remaining bytes can hold as
   * many items as the block claims, each of at least `itemBytesMin`.
   */
  items(itemBytesMin: number, item: (cursor: Cursor) => void): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      const blockBytes = count < 0 ? this.#length() : undefined
      const start = this.#at
      if (blockBytes !== undefined && blockBytes > this.#end - start) throw truncated()
      this.#refuseBomb(Math.abs(count), itemBytesMin)
      for (let left = Math.abs(count); left > 0; left--) item(this)
      if (blockBytes !== undefined && this.#at - start !== blockBytes) {
        throw new InvalidPayload('malformed', { blockBytes, readBytes: this.#at - start })
      }
    }
  }

  /** The items of an array. */
  array<T>(itemBytesMin: number, item: (cursor: Cursor) => T): T[] {
    const values: T[] = []
    this.items(itemBytesMin, (cursor) => {
      values.push(item(cursor))
    })
    return values
  }

  #refuseBomb(count: number, itemBytesMin: number): void {
    if (itemBytesMin === 0) this.#zeroWidthItems += count
    if (count * itemBytesMin > this.#end - this.#at || this.#zeroWidthItems > zeroWidthItemsMax) {
      throw new InvalidPayload('collection-too-large', { items: count, remainingBytes: this.#end - this.#at })
    }
  }
}

function truncated(): InvalidPayload {
  return new InvalidPayload('truncated')
}
