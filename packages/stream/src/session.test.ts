import { expect, test } from 'vitest'
import type { FetchedBatch, LogRecord } from './ports.ts'
import { Session } from './session.ts'

const at = { topic: 'dish-rankings', partition: 0 }
const loaded = { nextOffset: 10n, clusterId: 'c', topicId: 't', marks: [] }
const record = (offset: bigint): LogRecord => ({
  ...at,
  offset,
  key: null,
  value: Buffer.from('x'),
  headers: {},
  timestampMs: Number(offset),
})
const batch = (offsets: readonly bigint[], nextOffset: bigint): FetchedBatch => ({
  ...at,
  fetchedFrom: 0n,
  nextOffset,
  endOffset: nextOffset,
  records: offsets.map(record),
})

function decodeAll(session: Session): void {
  for (let next = session.nextBatch(); next !== undefined; next = session.nextBatch()) {
    for (const one of next.records) {
      session.fillingChunk().addDuplicate(one)
      session.fillUpTo(one.offset + 1n)
    }
    session.fillUpTo(next.nextOffset)
  }
}

test('small batches are merged into one chunk, up to its limit', () => {
  const session = new Session(loaded, { recordsMax: 3, bytesMax: 1_000 })
  session.receive(batch([10n, 11n], 12n))
  session.receive(batch([12n, 13n, 14n], 15n))
  decodeAll(session)
  expect([session.takeChunk(), session.takeChunk(), session.takeChunk()].map((chunk) => chunk?.recordCount)).toEqual([
    3,
    2,
    undefined,
  ])
})

test('chunks end where the next begins, over the gaps that compaction leaves', () => {
  const session = new Session(loaded, { recordsMax: 2, bytesMax: 1_000 })
  session.receive(batch([12n, 15n, 20n], 25n))
  session.receive(batch([], 30n))
  decodeAll(session)
  const chunks = [session.takeChunk(), session.takeChunk()]
  expect(chunks.map((chunk) => chunk?.nextOffset)).toEqual([16n, 30n])
})

test('a taken chunk is not filled any further, and nothing is written for a batch that it covers', () => {
  const session = new Session(loaded, { recordsMax: 100, bytesMax: 1_000 })
  session.receive(batch([10n, 11n], 12n))
  const next = session.nextBatch()
  for (const one of next?.records ?? []) {
    session.fillingChunk().addDuplicate(one)
    session.fillUpTo(one.offset + 1n)
  }
  const taken = session.takeChunk()
  session.fillUpTo(12n)
  expect(taken?.nextOffset).toBe(12n)
  expect(session.hasChunk).toBe(false)
  if (taken !== undefined) session.written(taken)
  expect(session.position.nextOffset).toBe(12n)
  expect(session.bufferedRecords).toBe(0)
})
