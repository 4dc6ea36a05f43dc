import { expect, test } from 'vitest'
import { TransactionSlots } from './transaction-slots.ts'

/** Which of the asked partitions have a slot now. */
function asking(slots: TransactionSlots, partitions: readonly number[]) {
  const granted = new Map<number, () => void>()
  partitions.forEach((partition, index) => {
    void slots.acquire(partition).then((release) => granted.set(index, release))
  })
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { granted, settle }
}

test('no more transactions than slots, and no two of one partition number', async () => {
  const { granted, settle } = asking(new TransactionSlots(2), [0, 0, 1, 2])
  await settle()
  expect([...granted.keys()]).toEqual([0, 2])
  granted.get(2)?.()
  await settle()
  expect([...granted.keys()]).toEqual([0, 2, 3])
  granted.get(0)?.()
  await settle()
  expect([...granted.keys()]).toEqual([0, 2, 3, 1])
})
