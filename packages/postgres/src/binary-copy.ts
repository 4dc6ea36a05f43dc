/**
 * Binary reads. pg decodes every data row as UTF-8 text, so bytes do not survive its binary result format; COPY's data
 * messages it hands over untouched. So a hot read is `COPY (select …) TO STDOUT (FORMAT binary)`: a header of 11 bytes
 * of signature, 4 of flags and 4 plus n of extension; per row an int16 count of columns, then per column an int32
 * length (-1 for null) and the bytes; at the end a count of -1. The server sends one message per row.
 *
 * COPY takes no parameters: values are written into the text as quoted literals, typed by where they stand.
 */
import pg from 'pg'
import { BinaryRows } from './binary-rows.ts'
import { UnsupportedParameter } from './errors.ts'

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const placeholderPattern = /\$(\d+)/g

/** The text of a select with `$1`… replaced by literals. A statement read this way has no `$` inside its own strings. */
export function bindLiterals(text: string, values: readonly (number | bigint | string | null)[]): string {
  return text.trim().replace(placeholderPattern, (_match, digits: string) => {
    const value = values[Number(digits) - 1]
    if (value === undefined) throw new UnsupportedParameter(`no value for $${digits}`)
    return value === null ? 'null' : pg.escapeLiteral(String(value))
  })
}

type Callback = (error: Error | null) => void
type CopyDataMessage = { chunk: Buffer }

/** One COPY on its way. `decode()` may be called once the callback has run without an error. */
export class BinaryCopy extends pg.Query {
  #answer = Buffer.allocUnsafe(32_768)
  #length = 0

  constructor(text: string, callback: Callback) {
    super(text, undefined)
    Object.assign(this, { callback: (error: Error | null) => callback(error) })
  }

  /** Called by pg for each message of data. Copied at once: pg's parser moves bytes about in the buffer it lends. */
  handleCopyData(message: CopyDataMessage): void {
    const { chunk } = message
    const end = this.#length + chunk.length
    if (end > this.#answer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#answer.length * 2))
      this.#answer.copy(larger, 0, 0, this.#length)
      this.#answer = larger
    }
    chunk.copy(this.#answer, this.#length)
    this.#length = end
  }

  decode(): BinaryRows {
    const answer = this.#answer.subarray(0, this.#length)
    const starts: number[] = []
    const lengths: number[] = []
    let columnCount = 0
    let offset = headerLength(answer)
    while (offset + 2 <= answer.length) {
      const cellCount = answer.readInt16BE(offset)
      if (cellCount === -1) return new BinaryRows(answer, { starts, lengths, columnCount })
      columnCount = cellCount
      offset += 2
      for (let cell = 0; cell < cellCount; cell++) {
        const length = answer.readInt32BE(offset)
        offset += 4
        starts.push(offset)
        lengths.push(length)
        if (length > 0) offset += length
      }
    }
    throw new Error('the binary answer ended without its trailer')
  }
}

function headerLength(answer: Buffer): number {
  if (answer.length < 19 || answer.compare(signature, 0, signature.length, 0, signature.length) !== 0) {
    throw new Error('not an answer in binary COPY format')
  }
  return 19 + answer.readInt32BE(15)
}
