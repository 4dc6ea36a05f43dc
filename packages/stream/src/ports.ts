/**
 * What the platform needs of a log. The kafkajs adapter (`kafka/`) is one implementation; a seeded fake broker for
 * simulation is another. Nothing here promises more than Kafka does:
 *
 * - A batch may be delivered again, and a member that lost a partition may still deliver what it had fetched. The
 *   consumer loop is built so that neither matters.
 * - Within one assignment a partition's batches are contiguous: the first begins where `seek` said, each next one where
 *   the one before ended. An implementation that cannot keep that says so through `onOutOfPlace` and delivers nothing.
 * - Offsets of records ascend inside a batch but need not be consecutive (compaction, control records).
 */

/** One partition of one topic, by its physical name. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A record as the log holds it. Of a header that occurs several times, the last one counts. */
export interface LogRecord extends TopicPartition {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer>
  /** Set by the producer: for events, when the event was accepted. */
  readonly timestampMs: number
}

/** A record to append. Without `partition`, the key decides (`partitionOf`); without a key, any partition will do. */
export interface RecordToSend {
  readonly key: string | Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, string>
  readonly timestampMs: number
  readonly partition?: number
}

/** Records for one topic, in the order in which they are appended. */
export interface TopicRecords {
  readonly topic: string
  readonly records: readonly RecordToSend[]
}

/** Appends records in order. One send is in flight at a time; a second call waits for the first. */
export interface LogProducer {
  connect(): Promise<void>
  /**
   * Resolves when all in-sync replicas have all records. Rejects with NotAcknowledged when that did not happen in time:
   * then any part of the records may be in the log, and sending them again may write them twice.
   */
  send(batches: readonly TopicRecords[]): Promise<void>
  disconnect(): Promise<void>
}

/** A send that was not acknowledged. What was sent may or may not be in the log. */
export class NotAcknowledged extends Error {
  override readonly name = 'NotAcknowledged'
}

/** What one fetch brought of one partition. It may hold no records when all of them were compacted away. */
export interface FetchedBatch extends TopicPartition {
  readonly fetchedFrom: bigint
  /** Where the next fetch begins: above the last record, and above control records and compacted offsets behind it. */
  readonly nextOffset: bigint
  /** The end of the partition as the broker saw it when it answered. */
  readonly endOffset: bigint
  readonly records: readonly LogRecord[]
}

/**
 * Why contiguity was lost. `refused`: the broker answered "offset out of range"; `moved`: another offset came back;
 * `doubtful`: the connection broke, or a fetch failed, so the topic may be another one of the same name by now.
 */
export interface OutOfPlace extends TopicPartition {
  readonly kind: 'refused' | 'moved' | 'doubtful'
  readonly expected: bigint
  readonly found: bigint | undefined
}

/** Callbacks of a consumer. All return at once: they enqueue, the loop acts. */
export interface ConsumerHandlers {
  /** The whole assignment after each rebalance. Nothing of a partition is fetched until `seek` was called for it. */
  onAssigned(assignment: readonly TopicPartition[]): void
  onBatch(batch: FetchedBatch): void
  onOutOfPlace(event: OutOfPlace): void
  /** The client failed and builds itself anew; a new assignment follows. */
  onInterrupted(error: Error): void
}

/** A member of a consumer group. It reconnects and joins again by itself until `stop`. */
export interface LogConsumer {
  /** Begins to connect and join; does not wait for it, so an absent broker delays nobody. */
  start(handlers: ConsumerHandlers): void
  /** Fetches the partition from `offset` on; also ends a pause. Of no effect when the partition is not assigned. */
  seek(partition: TopicPartition, offset: bigint): void
  /** Fetches no more of it. A batch that is already on its way may still come, or come again after `resume`. */
  pause(partition: TopicPartition): void
  resume(partition: TopicPartition): void
  /** Tells the group's lag tools how far the positions are. Nothing of ours ever reads it back. */
  commit(positions: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void>
  /** Leaves the group and joins it again with a fresh client. */
  restart(): Promise<void>
  /** Leaves the group. No callback is called after it has resolved. */
  stop(): Promise<void>
}

/** The first offset that a partition still has, and the offset that its next record will get. */
export interface OffsetRange {
  readonly start: bigint
  readonly end: bigint
}

/** A topic as the broker knows it. `id` changes when a topic is deleted and created again under its old name. */
export interface TopicDescription {
  readonly topic: string
  readonly id: string
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** A topic to create. `configs` are Kafka's own names and values. */
export interface NewTopic {
  readonly topic: string
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

/** Questions to, and changes of, the cluster. Connects on first use. */
export interface LogAdmin {
  clusterId(): Promise<string>
  /** The topics that exist among those asked for. */
  describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** The id of a topic, or undefined when there is no such topic. */
  topicId(topic: string): Promise<string | undefined>
  /** Creates topics and waits for their leaders; leaves those that exist as they are. */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  createPartitions(topic: string, partitionCount: number): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  /** A topic's configuration, defaults included. */
  topicConfigs(topic: string): Promise<ReadonlyMap<string, string>>
  /** Sets these configurations and keeps all others that were set on the topic. */
  alterTopicConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void>
  /** Start and end of each partition. */
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** What the group told Kafka about its positions; absent where it told nothing. */
  committedOffsets(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>
  /** Drops the records below the given offset of each partition. */
  deleteRecordsBefore(topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void>
  deleteGroups(groups: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** How records of a producer are compressed. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** Options of a producer. */
export interface ProducerOptions {
  /** zstd by default. */
  readonly compression?: Compression
  /** Longest time to try one send before it rejects; 120 s by default. */
  readonly sendTimeoutMs?: number
}

/** Options of a consumer. */
export interface LogConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** How long the group waits for a silent member; 30 s by default. */
  readonly sessionTimeoutMs?: number
  /** Longest time the broker holds a fetch when there is nothing; bounds how late a resumed partition is fetched. 50 ms. */
  readonly fetchWaitMsMax?: number
  /** Most bytes of one partition in one fetch; 1 MiB by default. A single larger record is still delivered. */
  readonly fetchBytesPerPartitionMax?: number
}

/** A log: makes producers, consumers and admins, each with its own connections. */
export interface Log {
  producer(options?: ProducerOptions): LogProducer
  consumer(options: LogConsumerOptions): LogConsumer
  admin(): LogAdmin
}
