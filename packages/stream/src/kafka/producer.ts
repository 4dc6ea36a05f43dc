/**
 * The idempotent producer: acks from all in-sync replicas, one request in flight, order kept over retries.
 *
 * kafkajs rolls its sequence numbers back when a send fails for good. If the broker had the records after all, the next,
 * *different* records would carry the same numbers and be acknowledged without being written. So after a failed send the
 * client is thrown away, and the next send begins with a new producer id. What was in doubt may then be written twice,
 * which consumers drop by position; it is never lost.
 */
import type { Logger } from '@bellyfed/process'
import kafkajs, { type Producer, type TopicMessages } from 'kafkajs'
import { partitionOf } from '../partitioner.ts'
import {
  type Compression,
  type LogProducer,
  NotAcknowledged,
  type ProducerOptions,
  type TopicRecords,
} from '../ports.ts'
import { createClient } from './client.ts'
import type { KafkaConfig } from './config.ts'

const sendTimeoutMsDefault = 120_000
const acksOfAllReplicas = -1

const compressionTypes: Record<Compression, kafkajs.CompressionTypes> = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  zstd: kafkajs.CompressionTypes.ZSTD,
}

/** Creates a producer; it connects with `connect` or with the first send. */
export function createProducer(config: KafkaConfig, log: Logger, options: ProducerOptions = {}): LogProducer {
  const compression = compressionTypes[options.compression ?? 'zstd']
  const sendTimeoutMs = options.sendTimeoutMs ?? sendTimeoutMsDefault
  let client: Promise<Producer> | undefined
  let isClosed = false
  let queue: Promise<void> = Promise.resolve()

  const connected = (): Promise<Producer> => {
    client ??= connect(config, log).catch((error: unknown) => {
      client = undefined
      throw error
    })
    return client
  }
  const discard = async (): Promise<void> => {
    const old = client
    client = undefined
    await old?.then((producer) => producer.disconnect()).catch(() => undefined)
  }

  const sendNow = async (batches: readonly TopicRecords[]): Promise<void> => {
    if (isClosed) throw new NotAcknowledged('the producer is closed')
    try {
      await within(sendTimeoutMs, async () => {
        const producer = await connected()
        await producer.sendBatch({ acks: acksOfAllReplicas, compression, topicMessages: batches.map(messagesOf) })
      })
    } catch (error) {
      void discard()
      throw new NotAcknowledged(`the brokers did not acknowledge: ${messageOf(error)}`, { cause: error })
    }
  }

  return {
    async connect() {
      isClosed = false
      await connected()
    },
    send(batches) {
      const filled = batches.filter((batch) => batch.records.length > 0)
      if (filled.length === 0) return Promise.resolve()
      const sent = queue.then(() => sendNow(filled))
      queue = sent.catch(() => undefined)
      return sent
    },
    async disconnect() {
      isClosed = true
      await discard()
    },
  }
}

async function connect(config: KafkaConfig, log: Logger): Promise<Producer> {
  const producer = createClient(config, log).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner,
  })
  try {
    await producer.connect()
    return producer
  } catch (error) {
    await producer.disconnect().catch(() => undefined)
    throw error
  }
}

/** Kafka's default partitioning; records without a key go round in turn. */
const createPartitioner: kafkajs.ICustomPartitioner = () => {
  let turn = 0
  return ({ partitionMetadata, message }) => {
    if (message.partition !== undefined) return message.partition
    const count = partitionMetadata.length
    if (message.key === null || message.key === undefined) return turn++ % count
    return partitionOf(message.key, count)
  }
}

function messagesOf({ topic, records }: TopicRecords): TopicMessages {
  return {
    topic,
    messages: records.map(({ key, value, headers, timestampMs, partition }) => ({
      key,
      value,
      headers,
      timestamp: String(timestampMs),
      ...(partition === undefined ? {} : { partition }),
    })),
  }
}

async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error(`no acknowledgement within ${timeoutMs} ms`)), timeoutMs)
  try {
    await Promise.race([work(), timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
