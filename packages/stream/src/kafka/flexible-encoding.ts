/** Kafka's encoding of flexible protocol versions (KIP-482): compact lengths are varints, plus one, zero being null. */

/** Builds a message. */
export class FlexibleWriter {
  readonly #parts: Buffer[] = []

  boolean(value: boolean): this {
    this.#parts.push(Buffer.of(value ? 1 : 0))
    return this
  }

  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    this.#unsignedVarint(bytes.length + 1)
    this.#parts.push(bytes)
    return this
  }

  uuid(value: Buffer): this {
    this.#parts.push(value)
    return this
  }

  arrayLength(length: number): this {
    return this.#unsignedVarint(length + 1)
  }

  /** An empty tag section. */
  tags(): this {
    return this.#unsignedVarint(0)
  }

  buffer(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #unsignedVarint(value: number): this {
    const bytes: number[] = []
    let rest = value
    while (rest > 0x7f) {
      bytes.push((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    bytes.push(rest)
    this.#parts.push(Buffer.from(bytes))
    return this
  }
}

/** Reads a message from front to back. Reading past the end throws a RangeError. */
export class FlexibleReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int16(): number {
    const value = this.#bytes.readInt16BE(this.#offset)
    this.#offset += 2
    return value
  }

  int32(): number {
    const value = this.#bytes.readInt32BE(this.#offset)
    this.#offset += 4
    return value
  }

  boolean(): boolean {
    const value = this.#bytes.readInt8(this.#offset)
    this.#offset += 1
    return value !== 0
  }

  uuid(): Buffer {
    return this.#take(16)
  }

  string(): string | null {
    const length = this.#unsignedVarint()
    return length === 0 ? null : this.#take(length - 1).toString('utf8')
  }

  array<T>(element: () => T): T[] {
    const length = this.#unsignedVarint() - 1
    const elements: T[] = []
    for (let index = 0; index < length; index += 1) elements.push(element())
    return elements
  }

  /** Skips a tag section: none of the tags matters to us. */
  tags(): void {
    const count = this.#unsignedVarint()
    for (let index = 0; index < count; index += 1) {
      this.#unsignedVarint()
      this.#take(this.#unsignedVarint())
    }
  }

  #take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new RangeError('the message ends too early')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }

  #unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#offset)
      this.#offset += 1
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new RangeError('a length has more than five bytes')
  }
}
