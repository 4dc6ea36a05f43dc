/** What the service consumes: the topic `dish-rankings`, every event type of it into the history. */
import type { Receipt, ReceiptState } from '@bellyfed/http'
import type { Pool } from '@bellyfed/postgres'
import type { Logger } from '@bellyfed/process'
import { type Codec, topics } from '@bellyfed/schemas'
import { type ConsumerOptions, createConsumer, type Log, type Projection, passedReceipt } from '@bellyfed/stream'
import { insertHistoryOf } from './history-projection.ts'

const topic = topics['dish-rankings'].name

/**
 * The pool that the projection writes through. A crash of the server may take back the last transactions, rows,
 * marks and position together; they are then read from the log again. So nothing waits for the disk: the transaction is
 * over sooner, and with it the time for which it holds back the relay's horizon.
 */
export const projectionPool = { applicationName: 'history', settings: { synchronous_commit: 'off' } } as const

/** Events in, rows of `ranking_history` out. */
export const historyProjection: Projection = {
  name: 'history',
  apply: (tx, events) =>
    insertHistoryOf(
      tx,
      events.map(({ decoded }) => decoded),
    ),
}

export interface HistoryConsumerOptions extends Pick<ConsumerOptions, 'log' | 'metrics' | 'client'> {
  readonly kafka: Log
  /** Before the names of topic and group. */
  readonly topicPrefix: string
  readonly pool: Pool
  readonly codec: Codec
}

/** The consumer, and whether it has applied what a receipt stands for. */
export function createHistoryConsumer({ kafka, topicPrefix, pool, ...options }: HistoryConsumerOptions) {
  const group = `${topicPrefix}history`
  const physicalTopic = `${topicPrefix}${topic}`
  const consumer = createConsumer({
    ...options,
    kafka,
    group,
    topics: [physicalTopic],
    pool,
    projection: historyProjection,
  })
  return { consumer, passed: receiptCheck({ kafka, pool, group, topic: physicalTopic, log: options.log }) }
}

interface ReceiptCheckOptions {
  readonly kafka: Log
  readonly pool: Pool
  readonly group: string
  readonly topic: string
  readonly log: Logger
}

function receiptCheck({ log, ...at }: ReceiptCheckOptions): (receipt: Receipt) => Promise<ReceiptState> {
  const { kafka, pool, group, topic } = at
  let partitionCount: number | undefined
  let isAsking = false
  const learnPartitionCount = async () => {
    if (isAsking) return
    isAsking = true
    try {
      partitionCount = await partitionCountOf(kafka, topic)
    } catch (error) {
      log.warn({ err: error, topic }, 'the partition count cannot be asked; reads with a receipt answer "not yet"')
    } finally {
      isAsking = false
    }
  }
  return async (receipt) => {
    // Asked once: a topic's partition count never changes, or keys would change partitions. Not waited for, since a
    // broker that is away would hold the read up for longer than it may wait.
    if (partitionCount === undefined) {
      void learnPartitionCount()
      return false
    }
    const state = await passedReceipt(pool, { group, topic, partitionCount }, receipt)
    return state === 'dead-lettered' ? { blocked: 'an event of this user could not be applied' } : state === 'passed'
  }
}

async function partitionCountOf(kafka: Log, topic: string): Promise<number> {
  const admin = kafka.admin()
  try {
    const described = (await admin.describeTopics([topic])).get(topic)
    if (described === undefined) throw new Error(`there is no topic ${topic}: run the deploy step of schemas first`)
    return described.partitionCount
  } finally {
    await admin.close()
  }
}
