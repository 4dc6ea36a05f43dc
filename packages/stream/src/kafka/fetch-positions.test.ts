import { expect, test } from 'vitest'
import type { FetchedBatch } from '../ports.ts'
import { FetchPositions } from './fetch-positions.ts'

const at = { topic: 'dish-rankings', partition: 0 }
const batch = (fetchedFrom: bigint, nextOffset: bigint): FetchedBatch => ({
  ...at,
  fetchedFrom,
  nextOffset,
  endOffset: 100n,
  records: [],
})

function placedAt(offset: bigint): FetchPositions {
  const positions = new FetchPositions()
  positions.assign([at])
  positions.seek(at, offset)
  return positions
}

test('batches that continue each other are in place', () => {
  const positions = placedAt(5n)
  expect(positions.advance(batch(5n, 8n))).toEqual({ inPlace: true })
  expect(positions.advance(batch(8n, 20n))).toEqual({ inPlace: true })
})

test('a batch from elsewhere is reported once, and nothing is accepted until the next seek', () => {
  const positions = placedAt(5n)
  expect(positions.advance(batch(0n, 3n))).toEqual({ inPlace: false, expected: 5n })
  expect(positions.advance(batch(5n, 8n))).toEqual({ inPlace: false, expected: undefined })
  positions.seek(at, 5n)
  expect(positions.advance(batch(5n, 8n))).toEqual({ inPlace: true })
})

test('an assigned partition accepts nothing before its seek, and a seek elsewhere is refused', () => {
  const positions = new FetchPositions()
  positions.assign([at])
  expect(positions.advance(batch(0n, 3n))).toEqual({ inPlace: false, expected: undefined })
  expect(positions.seek({ ...at, partition: 1 }, 0n)).toBe(false)
})

test('a new assignment forgets all places', () => {
  const positions = placedAt(5n)
  positions.assign([at])
  expect(positions.isPlaced(at)).toBe(false)
})

test('stepping over offsets without records moves on only', () => {
  const positions = placedAt(5n)
  expect(positions.step(at, 9n)).toBe(5n)
  expect(positions.step(at, 9n)).toBeUndefined()
  expect(positions.advance(batch(9n, 10n))).toEqual({ inPlace: true })
})
