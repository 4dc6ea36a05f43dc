/** Ratings are integer hundredths inside and decimals outside, 0.5 to 5. Dividing gives the nearest double: 457 → 4.57. */
export function decimalOf(ratingHundredths: number | null): number | null {
  return ratingHundredths === null ? null : ratingHundredths / 100
}
