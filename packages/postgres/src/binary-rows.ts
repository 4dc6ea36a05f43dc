/**
 * Rows in PostgreSQL's binary format over the one buffer that they arrived in. Nothing is made per cell until it is asked
 * for: on a page of a thousand rows with eleven columns, the objects would cost more than the reading.
 */
export class BinaryRows {
  readonly #answer: Buffer
  /** Of each cell, where its bytes begin; of row r and column c at r × columns + c. */
  readonly #starts: readonly number[]
  /** Of each cell, its length; -1 for null. */
  readonly #lengths: readonly number[]
  readonly #columnCount: number

  constructor(answer: Buffer, cells: { starts: readonly number[]; lengths: readonly number[]; columnCount: number }) {
    this.#answer = answer
    this.#starts = cells.starts
    this.#lengths = cells.lengths
    this.#columnCount = cells.columnCount
  }

  /** Rows. */
  get length(): number {
    return this.#columnCount === 0 ? 0 : this.#starts.length / this.#columnCount
  }

  isNull(row: number, column: number): boolean {
    return this.#lengths[this.#cell(row, column)] === -1
  }

  /** A view of the cell's bytes. Throws on null. */
  bytes(row: number, column: number): Buffer {
    const cell = this.#cell(row, column)
    const start = this.#start(cell)
    return this.#answer.subarray(start, start + (this.#lengths[cell] ?? 0))
  }

  /** A text of ASCII characters only. Throws on null. */
  ascii(row: number, column: number): string {
    const cell = this.#cell(row, column)
    const start = this.#start(cell)
    return this.#answer.toString('latin1', start, start + (this.#lengths[cell] ?? 0))
  }

  /** An `integer`. Throws on null. */
  int32(row: number, column: number): number {
    return this.#answer.readInt32BE(this.#start(this.#cell(row, column)))
  }

  /** A `bigint` or `xid8`. Throws on null. */
  bigint(row: number, column: number): bigint {
    return this.#answer.readBigInt64BE(this.#start(this.#cell(row, column)))
  }

  /** A `timestamptz` in epoch milliseconds, fractions cut off. Throws on null. */
  timestampMs(row: number, column: number): number {
    const start = this.#start(this.#cell(row, column))
    const microseconds = this.#answer.readInt32BE(start) * 2 ** 32 + this.#answer.readUInt32BE(start + 4)
    return Math.floor(microseconds / 1_000) + postgresEpochMs
  }

  #cell(row: number, column: number): number {
    const cell = row * this.#columnCount + column
    if (column >= this.#columnCount || cell >= this.#starts.length) throw new RangeError(`no cell ${row}, ${column}`)
    return cell
  }

  #start(cell: number): number {
    if (this.#lengths[cell] === -1) throw new TypeError(`cell ${cell} is null`)
    return this.#starts[cell] ?? 0
  }
}

// PostgreSQL's binary timestamps count microseconds from 2000-01-01.
const postgresEpochMs = Date.UTC(2000, 0, 1)
