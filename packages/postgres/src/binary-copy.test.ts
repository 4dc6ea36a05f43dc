import { describe, expect, test } from 'vitest'
import { BinaryCopy, bindLiterals } from './binary-copy.ts'
import type { BinaryRows } from './binary-rows.ts'

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
const trailer = Buffer.from([0xff, 0xff])

function row(...columns: (Buffer | null)[]): Buffer {
  const parts = columns.flatMap((column) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(column === null ? -1 : column.length)
    return column === null ? [length] : [length, column]
  })
  const count = Buffer.alloc(2)
  count.writeInt16BE(columns.length)
  return Buffer.concat([count, ...parts])
}

function decode(...chunks: Buffer[]): BinaryRows {
  const copy = new BinaryCopy('copy', () => {})
  for (const sent of chunks) {
    const chunk = Buffer.from(sent)
    copy.handleCopyData({ chunk })
    chunk.fill(0xee) // pg's parser uses its buffer again
  }
  return copy.decode()
}

describe('binary COPY', () => {
  test('rows survive, with nulls and empty values, after the lent chunks have been overwritten', () => {
    const bytes = Buffer.from([0, 255, 92, 34])
    const rows = decode(header, row(Buffer.from(bytes), null), row(Buffer.alloc(0), Buffer.from('x')), trailer)
    expect(rows.length).toBe(2)
    expect([rows.bytes(0, 0), rows.isNull(0, 0), rows.isNull(0, 1)]).toEqual([bytes, false, true])
    expect([rows.bytes(1, 0), rows.isNull(1, 0), rows.ascii(1, 1)]).toEqual([Buffer.alloc(0), false, 'x'])
  })

  test('a row larger than the first buffer survives', () => {
    const rows = decode(header, row(Buffer.alloc(1_000_000, 7)), trailer)
    expect(rows.bytes(0, 0).equals(Buffer.alloc(1_000_000, 7))).toBe(true)
  })

  test('an answer without rows has none', () => {
    expect(decode(header, trailer).length).toBe(0)
  })

  test('nulls and cells that do not exist are not read', () => {
    const rows = decode(header, row(null), trailer)
    expect(() => rows.bytes(0, 0)).toThrow(TypeError)
    expect(() => rows.int32(0, 1)).toThrow(RangeError)
    expect(() => rows.int32(1, 0)).toThrow(RangeError)
  })

  test('an answer without its trailer is refused', () => {
    expect(() => decode(header, row(Buffer.from('x')))).toThrow('without its trailer')
  })

  test('an answer in another format is refused', () => {
    expect(() => decode(Buffer.from('1\tx\n'))).toThrow('not an answer in binary COPY format')
  })
})

describe('values written into a select', () => {
  test('are quoted', () => {
    expect(bindLiterals('select $1, $2, $10', [1n, "o'clock", null, 4, 5, 6, 7, 8, 9, '\\'])).toBe(
      "select '1', 'o''clock',  E'\\\\'",
    )
  })

  test('must all be given', () => {
    expect(() => bindLiterals('select $2', [1])).toThrow('no value for $2')
  })
})
