import { expect, test } from 'vitest'
import { DeadLetterShare, TooManyDeadLetters } from './dead-letter-share.ts'

const limit = { shareMax: 0.5, windowRecords: 100 }

test('a few bad records at the beginning of a quiet topic do not stop it', () => {
  const share = new DeadLetterShare(limit)
  expect(() => share.add(99, 99)).not.toThrow()
})

test('more than the allowed share of the last records stops it', () => {
  const share = new DeadLetterShare(limit)
  share.add(50, 25)
  expect(() => share.add(50, 26)).toThrow(TooManyDeadLetters)
})

test('what was long ago does not count for or against', () => {
  const share = new DeadLetterShare(limit)
  for (let run = 0; run < 1_000; run += 1) share.add(100, 0)
  expect(() => {
    for (let run = 0; run < 3; run += 1) share.add(100, 100)
  }).toThrow(TooManyDeadLetters)
})
