import { expect, test } from 'vitest'
import { decimalOf } from './rating.ts'

test('every rating in hundredths is written with at most two decimals', () => {
  for (let hundredths = 50; hundredths <= 500; hundredths++) {
    expect(JSON.stringify(decimalOf(hundredths))).toMatch(/^\d(\.\d{1,2})?$/)
    expect(Math.round((decimalOf(hundredths) ?? 0) * 100)).toBe(hundredths)
  }
  expect(decimalOf(null)).toBeNull()
})
