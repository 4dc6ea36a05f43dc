import type { Batch, IHeaders, KafkaMessage } from 'kafkajs'
import type { FetchedBatch, LogRecord } from '../ports.ts'

/** A batch of kafkajs in our terms. */
export function batchOf(batch: Batch): FetchedBatch {
  const { topic, partition, messages } = batch
  return {
    topic,
    partition,
    fetchedFrom: fetchedOffsetOf(batch),
    nextOffset: BigInt(batch.lastOffset()) + 1n,
    endOffset: BigInt(batch.highWatermark),
    records: messages.map((message) => recordOf(topic, partition, message)),
  }
}

/** kafkajs keeps the offset that it asked for on the batch, though its types do not say so. */
function fetchedOffsetOf(batch: Batch): bigint {
  const { fetchedOffset } = batch as { fetchedOffset?: unknown }
  if (typeof fetchedOffset !== 'string')
    throw new Error('this version of kafkajs does not tell where a batch was fetched from')
  return BigInt(fetchedOffset)
}

function recordOf(topic: string, partition: number, message: KafkaMessage): LogRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers),
    timestampMs: Number(message.timestamp),
  }
}

/** kafkajs gives a list for a header that occurs several times; all others are taken as they are, without a copy. */
function headersOf(headers: IHeaders | undefined): Record<string, Buffer> {
  if (headers === undefined) return {}
  for (const name in headers) if (!Buffer.isBuffer(headers[name])) return withoutRepeats(headers)
  return headers as Record<string, Buffer>
}

function withoutRepeats(headers: IHeaders): Record<string, Buffer> {
  const found: Record<string, Buffer> = {}
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value[value.length - 1] : value
    if (last !== undefined && last !== null) found[name] = typeof last === 'string' ? Buffer.from(last) : last
  }
  return found
}
