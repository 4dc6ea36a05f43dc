/**
 * Decimal numbers as the file writes them, and ratings made from them.
 *
 * Everything here is exact: a number is an integer and a power of ten, never a binary float, because 3.335 has no
 * binary form and `Math.round(3.335 * 100)` is 333 where a reader of the file expects 334. Ratings are integer
 * hundredths; the range is checked on the number as written, and only then is it rounded, half up.
 */

/** The value is `units / 10 ** scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

/** The platform's own range of ratings. */
export const platformRating = { min: '0.5', max: '5' } as const

/** The longest number that is read; anything longer is no measurement. */
const numberLengthMax = 64
const exponentMax = 99
const decimalPattern = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,3}))?$/

/** Reads a decimal number; undefined for everything else, such as `n/a`, `NaN`, `0x10`, `3,5` or `1 000`. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > numberLengthMax) return undefined
  const match = decimalPattern.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fractionAfterWhole, bareFraction, exponentText] = match
  const fraction = fractionAfterWhole ?? bareFraction ?? ''
  const exponent = Number(exponentText ?? 0)
  if (Math.abs(exponent) > exponentMax) return undefined
  const magnitude = BigInt(`${whole}${fraction}`)
  const units = sign === '-' ? -magnitude : magnitude
  const scale = fraction.length - exponent
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

/** Negative, zero or positive, as `left` is less than, equal to or greater than `right`. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale)
  const difference = unitsAt(left, scale) - unitsAt(right, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The number as a safe integer, or undefined when it has a fraction or is too large to be one. */
export function wholeNumber(value: Decimal): number | undefined {
  const divisor = 10n ** BigInt(value.scale)
  if (value.units % divisor !== 0n) return undefined
  const whole = Number(value.units / divisor)
  return Number.isSafeInteger(whole) ? whole : undefined
}

/**
 * The range a file's ratings lie in and, where it is not the platform's own, the two ratings that its ends become.
 * `becomes.min` above `becomes.max` turns a scale round on which the least number is the best.
 */
export interface RatingScale {
  readonly min: Decimal
  readonly max: Decimal
  readonly becomes?: { readonly min: Decimal; readonly max: Decimal }
}

export type Rating =
  | { readonly kind: 'rating'; readonly hundredths: number; readonly isRounded: boolean }
  | { readonly kind: 'out-of-range' }

/** The platform's rating for a number of the file's scale. */
export function ratingOf(value: Decimal, scale: RatingScale): Rating {
  if (compareDecimals(value, scale.min) < 0 || compareDecimals(value, scale.max) > 0) return { kind: 'out-of-range' }
  const { min: low, max: high } = scale.becomes ?? { min: scale.min, max: scale.max }
  const places = Math.max(value.scale, scale.min.scale, scale.max.scale, low.scale, high.scale)
  const at = (number: Decimal) => unitsAt(number, places)
  // rating = low + (value - min) * (high - low) / (max - min), in hundredths and as one fraction
  const span = at(scale.max) - at(scale.min)
  const numerator = (at(low) * span + (at(value) - at(scale.min)) * (at(high) - at(low))) * 100n
  const denominator = span * 10n ** BigInt(places)
  return {
    kind: 'rating',
    hundredths: Number((2n * numerator + denominator) / (2n * denominator)),
    isRounded: numerator % denominator !== 0n,
  }
}

function unitsAt(value: Decimal, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale)
}
