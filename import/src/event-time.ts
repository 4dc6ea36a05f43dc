/** Reads the times of a file. A time without a zone is in the mapping's; UTC when the mapping names none. */
import { DateTime } from 'luxon'
import { compareDecimals, type Decimal, parseDecimal } from './decimal.ts'

export interface TimeSpec {
  /** `iso`, `epochSeconds`, `epochMilliseconds`, or a format of Luxon's tokens. */
  readonly format: string
  readonly zone?: string
}

/** Reads one time: epoch milliseconds, finer digits cut off; undefined when it is not one. */
export type TimeReader = (text: string) => number | undefined

/** Files of days repeat few times very often; past this the memory starts anew. */
const remembered = 10_000
const zero: Decimal = { units: 0n, scale: 0 }

export function createTimeReader(spec: TimeSpec): TimeReader {
  const zone = spec.zone ?? 'utc'
  if (spec.format === 'iso') return (text) => millisecondsOf(DateTime.fromISO(text, { zone }))
  if (spec.format === 'epochSeconds') return (text) => epoch(text, 3)
  if (spec.format === 'epochMilliseconds') return (text) => epoch(text, 0)
  const parser = DateTime.buildFormatParser(spec.format, { locale: 'en-US' })
  return remembering((text) => millisecondsOf(DateTime.fromFormatParser(text, parser, { zone, locale: 'en-US' })))
}

function millisecondsOf(time: DateTime): number | undefined {
  return time.isValid ? time.toMillis() : undefined
}

function epoch(text: string, extraDigits: number): number | undefined {
  const value = parseDecimal(text)
  if (value === undefined) return undefined
  const units = value.units * 10n ** BigInt(extraDigits)
  const divisor = 10n ** BigInt(value.scale)
  const cut = units / divisor
  const floor = compareDecimals(value, zero) < 0 && cut * divisor !== units ? cut - 1n : cut
  const milliseconds = Number(floor)
  return Number.isNaN(new Date(milliseconds).getTime()) ? undefined : milliseconds
}

function remembering(read: TimeReader): TimeReader {
  const known = new Map<string, number | undefined>()
  return (text) => {
    if (known.has(text)) return known.get(text)
    if (known.size >= remembered) known.clear()
    const time = read(text)
    known.set(text, time)
    return time
  }
}
