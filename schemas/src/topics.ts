/** What one topic is: 003's StreamConfig with what else Kafka has to know. The table itself is `topics.json`. */
import type { TopicName } from './generated/topics.ts'

export interface TopicDefinition {
  readonly name: TopicName
  readonly doc: string
  /** What the key of each record is. The order of records is kept per key. */
  readonly key: string
  readonly partitions: number
  /** -1: kept for ever. */
  readonly retentionMs: number
  readonly cleanupPolicy: 'delete' | 'compact'
  readonly compressionType: 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Largest batch of records, after compression, that the broker takes. */
  readonly maxMessageBytes: number
}
