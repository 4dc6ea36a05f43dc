/** Kafka for one test file: a client factory, and topics under the file's own prefix. */
import { applyTopics, type TopicName } from '@bellyfed/schemas'
import {
  createKafka,
  type KafkaConfig,
  type Log,
  type LogAdmin,
  type LogProducer,
  type LogRecord,
  type RecordToSend,
} from '@bellyfed/stream'
import type { Cleanup } from './database.ts'
import { silentLogger } from './log.ts'

export interface TestLog {
  readonly brokers: readonly string[]
  /** What a service is given as TOPIC_PREFIX. Groups of this file begin with it as well. */
  readonly prefix: string
  readonly config: KafkaConfig
  readonly log: Log
  /** One admin for the whole file, closed at its end. */
  readonly admin: LogAdmin
  /** The physical name of a topic. */
  topic(name: TopicName): string
  /** The name of a consumer group of this file. */
  group(name: string): string
  /** Creates topics of the project's table that this file does not have yet, with its settings but fewer partitions. */
  createTopics(names: readonly TopicName[], partitionCount: number): Promise<void>
  /** A connected producer for the whole file, disconnected at its end. */
  producer(): Promise<LogProducer>
  /** Appends and waits for the acknowledgement. */
  append(topic: TopicName, records: readonly RecordToSend[]): Promise<void>
  /** Every record that the topic holds now, partition by partition, each in offset order. */
  readAll(topic: TopicName): Promise<LogRecord[]>
}

export function createTestLog(brokers: readonly string[], prefix: string, cleanup: Cleanup): TestLog {
  const config: KafkaConfig = { brokers, clientId: 'test' }
  const log = createKafka(config, silentLogger)
  const admin = log.admin()
  const created = new Set<string>()
  let producer: Promise<LogProducer> | undefined
  let readers = 0
  const topic = (name: TopicName) => `${prefix}${name}`

  cleanup.add(() => admin.close())
  cleanup.add(async () => {
    if (created.size > 0) await admin.deleteTopics([...created])
  })

  const connected = async () => {
    const made = log.producer()
    await made.connect()
    cleanup.add(() => made.disconnect())
    return made
  }

  return {
    brokers,
    prefix,
    config,
    log,
    admin,
    topic,
    group: (name) => `${prefix}${name}`,
    async createTopics(names, partitionCount) {
      const missing = names.filter((name) => !created.has(topic(name)))
      for (const name of missing) created.add(topic(name))
      if (missing.length === 0) return
      const partitions = Object.fromEntries(missing.map((name) => [name, partitionCount]))
      await applyTopics(admin, { prefix, only: missing, partitions })
    },
    producer() {
      producer ??= connected()
      return producer
    },
    async append(name, records) {
      producer ??= connected()
      await (await producer).send([{ topic: topic(name), records }])
    },
    readAll: (name) => {
      readers += 1
      return readAll({ log, admin }, topic(name), `${prefix}reader-${readers}`)
    },
  }
}

async function readAll(
  { log, admin }: { log: Log; admin: LogAdmin },
  topic: string,
  group: string,
): Promise<LogRecord[]> {
  const due = new Map([...(await admin.offsets(topic))].filter(([, range]) => range.end > range.start))
  const records = new Map<number, LogRecord[]>()
  const consumer = log.consumer({ group, topics: [topic] })
  const done = Promise.withResolvers<void>()
  const check = () => {
    if (due.size === 0) done.resolve()
  }
  consumer.start({
    onAssigned(assignment) {
      for (const partition of assignment) {
        const range = due.get(partition.partition)
        records.delete(partition.partition)
        if (range !== undefined) consumer.seek(partition, range.start)
      }
      check()
    },
    onBatch(batch) {
      const before = records.get(batch.partition) ?? []
      records.set(batch.partition, [...before, ...batch.records])
      const range = due.get(batch.partition)
      if (range !== undefined && batch.nextOffset >= range.end) due.delete(batch.partition)
      check()
    },
    onOutOfPlace: (event) => done.reject(new Error(`${topic}/${event.partition} moved while it was read`)),
    onInterrupted: () => undefined,
  })
  try {
    await done.promise
  } finally {
    await consumer.stop()
    await admin.deleteGroups([group])
  }
  return [...records.entries()].sort(([a], [b]) => a - b).flatMap(([, ofPartition]) => ofPartition)
}
