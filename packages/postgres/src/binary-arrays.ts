/**
 * Array parameters in PostgreSQL's binary form, for `unnest($1::uuid[], $2::bigint[], …)` on hot paths. The server does
 * not parse text and the client does not format any: unnesting 17 such columns costs the server half of what it does
 * with the text form of `arrayOf` (2.8 against 5.8 µs a row), and times cost the client a twentieth.
 *
 * The type of an element is part of the form, so the parameter's cast must name exactly it: `smallint` for `$n::smallint[]`
 * and so on. Elements that do not fit their type are refused, as in `arrayOf`; `null` elements are SQL nulls.
 *
 * An array: int32 dimensions (1), int32 has-nulls, int32 element type, int32 length, int32 lower bound (1), then for each
 * element an int32 length (-1 for null) and its bytes, all big-endian.
 */
import { UnsupportedParameter } from './errors.ts'

const oid = { bigint: 20, smallint: 21, integer: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const
const headerBytes = 20
const nullLength = -1

type Values<Value> = readonly (Value | null)[]

/** Writes the header of an array of `count` elements. */
function begin(buffer: Buffer, elementType: number, count: number): void {
  // An array without elements has no dimensions.
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0)
  buffer.writeInt32BE(1, 4)
  buffer.writeInt32BE(elementType, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
}

function end(buffer: Buffer, count: number, length: number): Buffer {
  return buffer.subarray(0, count === 0 ? 12 : length)
}

/** An array of elements that all have one length in bytes. */
function fixed<Value>(
  elementType: number,
  bytes: number,
  values: Values<Value>,
  write: (buffer: Buffer, at: number, value: Value) => void,
): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + values.length * (4 + bytes))
  begin(buffer, elementType, values.length)
  let at = headerBytes
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (value === null || value === undefined) {
      at = buffer.writeInt32BE(nullLength, at)
      continue
    }
    writeLength(buffer, at, bytes)
    write(buffer, at + 4, value)
    at += 4 + bytes
  }
  return end(buffer, values.length, at)
}

/** A length below 256: three bytes of zero and one. Cheaper than the checked `writeInt32BE`. */
function writeLength(buffer: Buffer, at: number, length: number): void {
  buffer[at] = 0
  buffer[at + 1] = 0
  buffer[at + 2] = 0
  buffer[at + 3] = length
}

const notHex = 255
/** Value of a hexadecimal digit by its character code; 255 for every other code below 128. */
const hexDigits = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
  return digit < 0 ? notHex : digit
})
/** Where the pairs of digits of a UUID's text begin. */
const uuidPairs = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const
const uuidLength = 36
const hyphen = 45

function writeUuid(buffer: Buffer, at: number, value: string): void {
  let seen = 0
  for (let pair = 0; pair < 16; pair++) {
    const from = uuidPairs[pair] as number
    const high = hexDigits[value.charCodeAt(from)] ?? notHex
    const low = hexDigits[value.charCodeAt(from + 1)] ?? notHex
    seen |= high | low
    buffer[at + pair] = (high << 4) | low
  }
  const isUuid =
    seen < 16 &&
    value.length === uuidLength &&
    value.charCodeAt(8) === hyphen &&
    value.charCodeAt(13) === hyphen &&
    value.charCodeAt(18) === hyphen &&
    value.charCodeAt(23) === hyphen
  if (!isUuid) throw new UnsupportedParameter(`not a UUID: ${JSON.stringify(value)}`)
}

function writeBigint(buffer: Buffer, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw new UnsupportedParameter(`does not fit bigint: ${value}`)
    buffer.writeBigInt64BE(value, at)
    return
  }
  if (!Number.isSafeInteger(value)) throw new UnsupportedParameter(`not a safe integer: ${value}`)
  writeSafeInteger(buffer, at, value)
}

/** A safe integer as int64, without a BigInt: the high half is the floor of the quotient, also below zero. */
function writeSafeInteger(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / 4_294_967_296), at)
  buffer.writeUInt32BE(value >>> 0, at + 4)
}

function integerWriter(bits: 16 | 32): (buffer: Buffer, at: number, value: number) => void {
  const min = -(2 ** (bits - 1))
  const max = 2 ** (bits - 1) - 1
  return (buffer, at, value) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new UnsupportedParameter(`not an integer of ${bits} bits: ${value}`)
    }
    if (bits === 16) buffer.writeInt16BE(value, at)
    else buffer.writeInt32BE(value, at)
  }
}

const writeSmallint = integerWriter(16)
const writeInteger = integerWriter(32)

// PostgreSQL counts microseconds from 2000. Beyond these years its text form would not be ECMAScript's either.
const postgresEpochMs = Date.UTC(2000, 0, 1)
const timestampMsMin = Date.parse('0001-01-01T00:00:00Z')
const timestampMsMax = Date.parse('9999-12-31T23:59:59.999Z')

function writeTimestamp(buffer: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < timestampMsMin || value > timestampMsMax) {
    throw new UnsupportedParameter(`not a time in epoch milliseconds of the years 1 to 9999: ${value}`)
  }
  const sinceMs = value - postgresEpochMs
  const microseconds = sinceMs * 1_000
  if (Number.isSafeInteger(microseconds)) writeSafeInteger(buffer, at, microseconds)
  else buffer.writeBigInt64BE(BigInt(sinceMs) * 1_000n, at)
}

/** Longest text, in UTF-16 units, that is copied character by character; beyond it the native copy is faster. */
const shortTextLengthMax = 48
const utf8BytesPerUnitMax = 3

// Texts are written here first, as their bytes are only known then; grows to the largest array that was ever written.
let scratch = Buffer.allocUnsafeSlow(65_536)

function text(values: Values<string>): Buffer {
  let bytesMax = headerBytes + values.length * 4
  for (const value of values) bytesMax += (value?.length ?? 0) * utf8BytesPerUnitMax
  if (scratch.length < bytesMax) scratch = Buffer.allocUnsafeSlow(bytesMax * 2)
  begin(scratch, oid.text, values.length)
  let at = headerBytes
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (value === null || value === undefined) {
      at = scratch.writeInt32BE(nullLength, at)
      continue
    }
    const length = writeText(scratch, at + 4, value)
    scratch.writeInt32BE(length, at)
    at += 4 + length
  }
  return Buffer.from(end(scratch, values.length, at))
}

/** Writes UTF-8 and returns its length. */
function writeText(buffer: Buffer, at: number, value: string): number {
  const { length } = value
  if (length > shortTextLengthMax) return buffer.write(value, at, 'utf8')
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index)
    if (code > 127) return buffer.write(value, at, 'utf8')
    buffer[at + index] = code
  }
  return length
}

/** As `arrayOf`, in binary form. The names are those of the element types in the parameters' casts. */
export const binaryArrayOf = {
  uuid: (values: Values<string>): Buffer => fixed(oid.uuid, 16, values, writeUuid),
  text,
  smallint: (values: Values<number>): Buffer => fixed(oid.smallint, 2, values, writeSmallint),
  integer: (values: Values<number>): Buffer => fixed(oid.integer, 4, values, writeInteger),
  bigint: (values: Values<number | bigint>): Buffer => fixed(oid.bigint, 8, values, writeBigint),
  /** `timestamptz[]` from epoch milliseconds */
  timestampMs: (values: Values<number>): Buffer => fixed(oid.timestamptz, 8, values, writeTimestamp),
}
