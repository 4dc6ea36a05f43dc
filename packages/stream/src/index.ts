export type { ChunkLimits } from './chunk.ts'
export { type ConsumerOptions, createConsumer, type StreamConsumer } from './consumer.ts'
export { type DeadLetterLimit, TooManyDeadLetters } from './dead-letter-share.ts'
export { deployTopicsSettings } from './deploy-topics.ts'
export { type EventPosition, formatPosition, headerNames, parsePosition } from './event-position.ts'
export { type KafkaConfig, type KafkaSasl, type KafkaTls, kafkaConfigOf, kafkaSettings } from './kafka/config.ts'
export { createKafka } from './kafka/create-kafka.ts'
export { streamMigrations } from './migrations.ts'
export { murmur2, partitionOf } from './partitioner.ts'
export {
  type Compression,
  type ConsumerHandlers,
  type FetchedBatch,
  type Log,
  type LogAdmin,
  type LogConsumer,
  type LogConsumerOptions,
  type LogProducer,
  type LogRecord,
  type NewTopic,
  NotAcknowledged,
  type OffsetRange,
  type OutOfPlace,
  type ProducerOptions,
  type RecordToSend,
  type TopicDescription,
  type TopicPartition,
  type TopicRecords,
} from './ports.ts'
export { type LogIdentity, PositionLost } from './position-check.ts'
export { type Projection, StalePosition } from './position-store.ts'
export { type ProjectedTopic, passedReceipt, type Receipt, type ReceiptState } from './receipts.ts'
export type { DeadRecord, Failure, ReceivedEvent } from './received-event.ts'
export { backoffMs, dependencyRetryPolicy, type RetryPolicy } from './retry-policy.ts'
export type { StreamMetrics } from './stream-metrics.ts'
