/**
 * Array literals for `unnest($1::uuid[], $2::bigint[], …)`: one parameter a column instead of one a cell.
 *
 * Each function writes the text form of one PostgreSQL array in a single pass. An element can never end its own slot:
 * it is either quoted and escaped (text, json), or refused unless it has the shape of its type (uuid, numbers, times).
 * `null` elements are SQL nulls. A text that holds U+0000 is refused by the server (22021), as PostgreSQL cannot store it.
 */
import { UnsupportedParameter } from './errors.ts'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const specialPattern = /["\\]/
const specialsPattern = /["\\]/g

function literal<Value>(values: readonly (Value | null)[], write: (value: Value) => string): string {
  if (values.length === 0) return '{}'
  let text = '{'
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (index > 0) text += ','
    text += value === null || value === undefined ? 'NULL' : write(value)
  }
  return `${text}}`
}

function writeUuid(value: string): string {
  if (!uuidPattern.test(value)) throw new UnsupportedParameter(`not a UUID: ${JSON.stringify(value)}`)
  return value
}

function quote(value: string): string {
  return specialPattern.test(value) ? `"${value.replace(specialsPattern, '\\$&')}"` : `"${value}"`
}

function writeInteger(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new UnsupportedParameter(`not a safe integer: ${value}`)
  }
  return String(value)
}

function writeNumber(value: number): string {
  if (typeof value !== 'number') throw new UnsupportedParameter(`not a number: ${String(value)}`)
  return String(value)
}

// The text forms of PostgreSQL and ECMAScript agree for the years 1 to 9999 only.
const timestampMsMin = Date.parse('0001-01-01T00:00:00.000Z')
const timestampMsMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

function timestampWriter(): (value: number) => string {
  // The rows of one batch mostly share their acceptance time, and formatting is the costly part.
  let lastMs = Number.NaN
  let lastText = ''
  return (value) => {
    if (value !== lastMs) {
      if (!Number.isSafeInteger(value) || value < timestampMsMin || value > timestampMsMax) {
        throw new UnsupportedParameter(`not a time in epoch milliseconds of the years 1 to 9999: ${value}`)
      }
      lastText = new Date(value).toISOString()
      lastMs = value
    }
    return lastText
  }
}

function writeBytes(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return `\\\\x${bytes.toString('hex')}`
}

function writeJson(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new UnsupportedParameter('undefined, functions and symbols have no JSON form')
  return quote(text)
}

export const arrayOf = {
  /** `uuid[]` */
  uuid: (values: readonly (string | null)[]): string => literal(values, writeUuid),
  /** `text[]` */
  text: (values: readonly (string | null)[]): string => literal(values, quote),
  /** `smallint[]` or `integer[]`; the server refuses what does not fit */
  integer: (values: readonly (number | null)[]): string => literal(values, writeInteger),
  /** `bigint[]`, `xid8[]` */
  bigint: (values: readonly (number | bigint | null)[]): string => literal(values, writeInteger),
  /** `double precision[]`, with NaN and the infinities */
  double: (values: readonly (number | null)[]): string => literal(values, writeNumber),
  /** `boolean[]` */
  boolean: (values: readonly (boolean | null)[]): string => literal(values, (value) => (value ? 't' : 'f')),
  /** `timestamptz[]` from epoch milliseconds of the years 1 to 9999 */
  timestampMs: (values: readonly (number | null)[]): string => literal(values, timestampWriter()),
  /** `bytea[]` */
  bytea: (values: readonly (Uint8Array | null)[]): string => literal(values, writeBytes),
  /** `jsonb[]` or `json[]`; a null element is SQL null, not JSON null */
  json: (values: readonly (unknown | null)[]): string => literal(values, writeJson),
}
