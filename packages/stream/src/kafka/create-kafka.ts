import type { Logger } from '@bellyfed/process'
import type { Log } from '../ports.ts'
import { createAdmin } from './admin.ts'
import type { KafkaConfig } from './config.ts'
import { createConsumerClient } from './consumer.ts'
import { createProducer } from './producer.ts'

/** The log on a Kafka cluster. Makes no connection by itself; each producer, consumer and admin has its own. */
export function createKafka(config: KafkaConfig, log: Logger): Log {
  return {
    producer: (options) => createProducer(config, log, options),
    consumer: (options) => createConsumerClient(config, log, options),
    admin: () => createAdmin(config, log),
  }
}
