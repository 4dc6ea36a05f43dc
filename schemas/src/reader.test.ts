/** The reader against avsc, which is the reference: same value from the same bytes, whatever the two schemas. */
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readerOf } from './codec.ts'
import { compileReader } from './compiled-reader.ts'
import { Cursor } from './cursor.ts'
import { InvalidPayload } from './invalid-payload.ts'
import { compileWalk } from './walk.ts'

const headerBytes = 5
const cursor = new Cursor()

function read(writer: avsc.Type, reader: avsc.Type, body: Buffer): object {
  const value = Buffer.concat([Buffer.alloc(headerBytes), body])
  cursor.open(value, headerBytes)
  const event = readerOf(writer, reader)(cursor, value)
  cursor.close()
  return event
}

/** Without the prototypes that avsc gives its records. */
const plain = (value: unknown) => structuredClone(value)

type Field = { name: string; type: unknown; default?: unknown }
const record = (...fields: Field[]) =>
  avsc.Type.forSchema({ type: 'record', name: 'R', fields } as avsc.schema.RecordType)

/** A field's type, a value of it, and a default that fits. */
interface Sample {
  type: unknown
  value: unknown
  default: unknown
}

const primitive: fc.Arbitrary<Sample> = fc.oneof(
  fc.boolean().map((value) => ({ type: 'boolean', value, default: true })),
  fc.integer().map((value) => ({ type: 'int', value, default: 7 })),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).map((value) => ({ type: 'long', value, default: -7 })),
  fc.double({ noNaN: true }).map((value) => ({ type: 'double', value, default: 0.5 })),
  fc.string({ unit: 'grapheme' }).map((value) => ({ type: 'string', value, default: 'ñ' })),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }).map((value) => ({ type: 'string', value, default: '' })),
  fc.uint8Array().map((value) => ({ type: 'bytes', value: Buffer.from(value), default: 'ÿ' })),
)
const optional = fc.tuple(primitive, fc.boolean()).map(([one, isNull]) => {
  return { type: ['null', one.type], value: isNull ? null : one.value, default: null }
})
const listOf = fc.tuple(primitive, fc.integer({ min: 0, max: 5 })).map(([one, length]) => {
  return { type: { type: 'array', items: one.type }, value: Array(length).fill(one.value), default: [] }
})
const mapOf = primitive.map((one) => ({
  type: { type: 'map', values: one.type },
  value: { a: one.value, b: one.value },
  default: {},
}))
const sample = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(primitive, optional, listOf) },
  { weight: 1, arbitrary: mapOf },
)
const fields = fc.array(fc.record({ sample, side: fc.constantFrom('both', 'both', 'writer', 'reader') }), {
  minLength: 1,
  maxLength: 8,
})

describe('readerOf', () => {
  test('reads what avsc reads, whichever fields come, go or stay', () => {
    fc.assert(
      fc.property(fields, fc.boolean(), (drawn, isReversed) => {
        const all = drawn.map((one, index) => ({ name: `f${index}`, ...one }))
        const asFields = (side: string) =>
          all
            .filter((one) => one.side !== side)
            .map((one) => ({ name: one.name, type: one.sample.type, default: one.sample.default }))
        const writer = record(...asFields('reader'))
        const reader = record(...(isReversed ? asFields('writer').reverse() : asFields('writer')))
        const body = writer.toBuffer(Object.fromEntries(all.map((one) => [one.name, one.sample.value])))
        const expected = reader.fromBuffer(body, reader.createResolver(writer))
        expect(plain(read(writer, reader, body))).toStrictEqual(plain(expected))
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['an int promoted to long', 'int', 'long', 5, 5],
    ['a value where the reader allows null', 'string', ['null', 'string'], 'a', 'a'],
    ['bytes read as string', 'bytes', 'string', Buffer.from('ab'), 'ab'],
  ])('%s is left to avsc', (_what, written, wanted, value, expected) => {
    const writer = record({ name: 'f', type: written })
    const reader = record({ name: 'f', type: wanted })
    expect(compileReader(writer, reader)).toBeUndefined()
    expect(read(writer, reader, writer.toBuffer({ f: value }))).toStrictEqual({ f: expected })
  })

  test('a symbol that a later writer added is read as the default', () => {
    const symbols = (...names: string[]) => ({ type: 'enum', name: 'E', symbols: names, default: 'b' })
    const writer = record({ name: 'f', type: symbols('a', 'b', 'later') })
    const reader = record({ name: 'f', type: symbols('a', 'b') })
    expect(compileReader(writer, reader)).toBeDefined()
    expect(read(writer, reader, writer.toBuffer({ f: 'later' }))).toStrictEqual({ f: 'b' })
    expect(read(writer, reader, writer.toBuffer({ f: 'a' }))).toStrictEqual({ f: 'a' })
  })

  test('a field that the reader knows under its old name is found', () => {
    const writer = record({ name: 'old', type: 'string' })
    const reader = record({ name: 'f', type: 'string', aliases: ['old'] } as Field)
    expect(read(writer, reader, writer.toBuffer({ old: 'a' }))).toStrictEqual({ f: 'a' })
  })

  test('a default is a new value each time', () => {
    const writer = record({ name: 'f', type: 'int' })
    const reader = record(
      { name: 'f', type: 'int' },
      { name: 'list', type: { type: 'array', items: 'int' }, default: [] },
    )
    const first = read(writer, reader, writer.toBuffer({ f: 1 })) as { list: number[] }
    first.list.push(1)
    expect(read(writer, reader, writer.toBuffer({ f: 1 }))).toStrictEqual({ f: 1, list: [] })
  })
})

describe('blocks', () => {
  const type = record({ name: 'f', type: { type: 'array', items: 'int' } })
  test('an array in several blocks, with and without byte sizes, is read whole', () => {
    // 2 items; 1 item in a block of 1 byte; end.
    expect(read(type, type, Buffer.from([4, 2, 4, 1, 2, 6, 0]))).toStrictEqual({ f: [1, 2, 3] })
  })

  test('a byte size that is not that of the block is refused', () => {
    expect(() => read(type, type, Buffer.from([1, 4, 6, 0]))).toThrow(InvalidPayload)
  })

  test('a long beyond the safe integers is refused, not rounded', () => {
    const long = record({ name: 'f', type: 'long' })
    const largest = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    expect(() => read(long, long, largest)).toThrow(InvalidPayload)
  })
})

describe('the walk', () => {
  test('ends exactly where the value ends, for every type that Avro has', () => {
    const inner = {
      type: 'record',
      name: 'Inner',
      fields: [
        { name: 'n', type: 'null' },
        { name: 'x', type: 'float' },
      ],
    }
    const type = record(
      { name: 'a', type: ['null', 'string', 'int', 'boolean'] },
      { name: 'b', type: { type: 'array', items: inner } },
      { name: 'c', type: { type: 'map', values: { type: 'array', items: 'bytes' } } },
      { name: 'd', type: { type: 'fixed', name: 'F', size: 3 } },
      { name: 'e', type: { type: 'enum', name: 'E', symbols: ['x', 'y'] } },
      { name: 'f', type: ['double', 'long'] },
    )
    const body = type.toBuffer({
      a: 'text',
      b: [
        { n: null, x: 1 },
        { n: null, x: 2 },
      ],
      c: { key: [Buffer.from('1'), Buffer.alloc(0)] },
      d: Buffer.from('abc'),
      e: 'y',
      f: { long: 5 },
    })
    const walk = compileWalk(type)
    for (let length = 0; length <= body.length; length++) {
      const visit = () => {
        cursor.open(body.subarray(0, length), 0)
        walk(cursor)
        cursor.close()
      }
      if (length < body.length) expect(visit, `${length} bytes`).toThrow(InvalidPayload)
      else expect(visit).not.toThrow()
    }
  })
})
