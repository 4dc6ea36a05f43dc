import { describe, expect, test } from 'vitest'
import { type Change, type Entry, expectAgreement, type Ledger, type RecordEntry } from './ledger.ts'

const entry = (userId: string, sequence: number): Entry => ({ userId, sequence, eventId: `${userId}${sequence}` })
const story = [entry('a', 1), entry('a', 2), entry('b', 1), entry('b', 2)]
const published = (entries: readonly Entry[]): RecordEntry[] =>
  entries.map((one) => ({ ...one, partition: one.userId === 'a' ? 0 : 1, schemaId: 1 }))
const kept = (entries: readonly Entry[]): Change[] =>
  entries.map((one) => ({ ...one, commandId: null, cause: 'ranked' }))

function ledger(differing: Partial<Ledger> = {}): Ledger {
  return { events: story, records: published(story), history: kept(story), rankingCount: 2, ...differing }
}

describe('store, topic and history', () => {
  test('agree when each has every event once and in order', () => {
    expect(expectAgreement(ledger())).toEqual({ duplicateCount: 0 })
  })

  test('agree when records were published again behind themselves, and that is counted', () => {
    const again = [entry('a', 1), entry('a', 2), entry('a', 1), entry('a', 2), entry('b', 1), entry('b', 2)]
    expect(expectAgreement(ledger({ records: published(again) }))).toEqual({ duplicateCount: 2 })
  })

  test.each<[string, Partial<Ledger>]>([
    ['a record is lost', { records: published(story.slice(0, 3)) }],
    ['a record is lost between others', { records: published([entry('a', 2), entry('b', 1), entry('b', 2)]) }],
    ['records are out of order', { records: published([entry('a', 2), entry('a', 1), entry('b', 1), entry('b', 2)]) }],
    ['a record is of no event', { records: published([...story, entry('c', 1)]) }],
    ['a record has another event id', { records: published(story).map((one) => ({ ...one, eventId: 'other' })) }],
    [
      "a user's records are in two partitions",
      { records: published(story).map((one, partition) => ({ ...one, partition })) },
    ],
    ['the history lacks the last event', { history: kept(story.slice(0, 3)) }],
    ['the history has an event twice', { history: kept([entry('a', 1), ...story]) }],
    ['the store has a gap', { events: [entry('a', 1), entry('a', 3)], records: [], history: [] }],
  ])('do not agree when %s', (_title, differing) => {
    expect(() => expectAgreement(ledger(differing))).toThrow()
  })
})
