import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchQueue } from './batch-queue.ts'

const rowsOf = (users: readonly number[]) => users.map((user, place) => ({ user, place }))
const places = (batch: readonly { place: number }[]) => batch.map(({ place }) => place)

test('a batch leaves out the users of the batches on their way, and their rows come first afterwards', () => {
  const queue = new BatchQueue(rowsOf([1, 2, 1, 2, 3, 4, 1]), { batchSizeMax: 2, lookAheadMax: 10 })
  const first = queue.take()
  expect(places(first)).toEqual([0, 1])
  const second = queue.take()
  expect(places(second)).toEqual([4, 5])
  expect(queue.take()).toEqual([])
  queue.finish(first)
  expect(places(queue.take())).toEqual([2, 3])
  queue.finish(second)
  expect(queue.take()).toEqual([]) // user 1 is busy again
})

test('one batch after the other is the order of the rows', () => {
  const queue = new BatchQueue(rowsOf([1, 1, 2, 1, 3]), { batchSizeMax: 2, lookAheadMax: 4 })
  const seen: number[] = []
  for (let batch = queue.take(); batch.length > 0; batch = queue.take()) {
    seen.push(...places(batch))
    queue.finish(batch)
  }
  expect(seen).toEqual([0, 1, 2, 3, 4])
})

test('no user is ever in two batches on their way, and the rows of a user leave once and in order', () => {
  const users = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 80 })
  const steps = fc.array(fc.nat(4), { maxLength: 60 })
  fc.assert(
    fc.property(
      users,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 20 }),
      steps,
      (all, size, ahead, which) => {
        const queue = new BatchQueue(rowsOf(all), { batchSizeMax: size, lookAheadMax: ahead })
        const onTheirWay: (readonly { user: number; place: number }[])[] = []
        const left: { user: number; place: number }[] = []
        const takeOne = () => {
          const batch = queue.take()
          const busy = new Set(onTheirWay.flat().map(({ user }) => user))
          expect(batch.some(({ user }) => busy.has(user))).toBe(false)
          expect(batch.length).toBeLessThanOrEqual(size)
          if (batch.length > 0) onTheirWay.push(batch)
          left.push(...batch)
          return batch.length > 0
        }
        const finishOne = (index: number) => {
          for (const batch of onTheirWay.splice(index % Math.max(1, onTheirWay.length), 1)) queue.finish(batch)
        }
        for (const step of which) {
          if (step < 2) takeOne()
          else finishOne(step)
        }
        do {
          while (onTheirWay.length > 0) finishOne(0)
        } while (takeOne())
        for (const user of new Set(all)) {
          const own = rowsOf(all).filter((row) => row.user === user)
          expect(left.filter((row) => row.user === user)).toEqual(own)
        }
      },
    ),
  )
})
