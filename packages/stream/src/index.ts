export { type KafkaConfig, type KafkaSasl, type KafkaTls, kafkaConfigOf, kafkaSettings } from './kafka/config.ts'
export { createKafka } from './kafka/create-kafka.ts'
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
export { backoffMs, dependencyRetryPolicy, type RetryPolicy } from './retry-policy.ts'
