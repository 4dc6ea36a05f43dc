import { type Queryable, statement } from '@bellyfed/postgres'
import { partitionOf } from './partitioner.ts'

const receiptState = statement(import.meta.url, '../sql/receipt-state.sql')

/** What a client got for a write: the place of its last event in the source's log, and the key it was published under. */
export interface Receipt {
  readonly source: string
  readonly epoch: number | bigint
  readonly xid: bigint
  readonly position: bigint
  readonly key: string
}

/** Which projection is asked. */
export interface ProjectedTopic {
  readonly group: string
  /** Physical name. */
  readonly topic: string
  readonly partitionCount: number
}

/**
 * Whether a read sees the write: `passed`. Otherwise `behind`: wait and ask again; or `dead-lettered`: an event of this
 * key at or before the write was put aside, so the read would be wrong, and waiting does not help.
 */
export type ReceiptState = 'passed' | 'behind' | 'dead-lettered'

/** Read-your-writes: whether the projection has applied what the receipt stands for. One round trip. */
export async function passedReceipt(
  queryable: Queryable,
  { group, topic, partitionCount }: ProjectedTopic,
  receipt: Receipt,
): Promise<ReceiptState> {
  const partition = partitionOf(receipt.key, partitionCount)
  const { rows } = await queryable.query<{ is_reached: boolean; is_dead: boolean }>(receiptState, [
    group,
    topic,
    partition,
    receipt.source,
    receipt.epoch,
    receipt.xid,
    receipt.position,
    Buffer.from(receipt.key, 'utf8'),
  ])
  if (rows[0]?.is_dead) return 'dead-lettered'
  return rows[0]?.is_reached ? 'passed' : 'behind'
}
