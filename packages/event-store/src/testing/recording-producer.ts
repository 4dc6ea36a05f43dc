/** A producer that keeps what was sent, and can be made to hold or refuse a send. */
import type { LogProducer, RecordToSend, TopicRecords } from '@bellyfed/stream'

export interface SentRecord {
  readonly topic: string
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
  readonly timestampMs: number
  readonly xid: bigint
  readonly position: bigint
}

export interface RecordingProducer extends LogProducer {
  /** Acknowledged records in the order in which they were sent. */
  readonly sent: SentRecord[]
  /** Sends that were begun, acknowledged or not. */
  readonly attempts: number
  /** Runs before each send is acknowledged; what it throws is what the send rejects with. */
  beforeAcknowledging: (batches: readonly TopicRecords[]) => Promise<void> | void
}

function recorded(topic: string, record: RecordToSend): SentRecord {
  const [, , xid, position] = (record.headers.position ?? '').split('/')
  return {
    topic,
    key: String(record.key),
    value: Buffer.from(record.value ?? []),
    headers: record.headers,
    timestampMs: record.timestampMs,
    xid: BigInt(xid ?? -1),
    position: BigInt(position ?? -1),
  }
}

export function recordingProducer(): RecordingProducer {
  const sent: SentRecord[] = []
  let attempts = 0
  return {
    sent,
    get attempts() {
      return attempts
    },
    beforeAcknowledging: () => {},
    connect: async () => {},
    disconnect: async () => {},
    async send(batches) {
      attempts += 1
      const records = batches.flatMap(({ topic, records }) => records.map((record) => recorded(topic, record)))
      await this.beforeAcknowledging(batches)
      sent.push(...records)
    },
  }
}
