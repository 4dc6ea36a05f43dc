import { eventually, silentLogger, testPlatform } from '@bellyfed/testkit'
import { expect, test } from 'vitest'
import { NotAcknowledged, type OutOfPlace } from '../ports.ts'
import { createKafka } from './create-kafka.ts'

const platform = testPlatform()

test('a topic has an id, and another one after it was created again', async () => {
  const kafka = await platform.kafka({ topics: ['dish-rankings'], partitionCount: 2 })
  const topic = kafka.topic('dish-rankings')
  const described = (await kafka.admin.describeTopics([topic, 'no-such-topic'])).get(topic)
  expect(described).toMatchObject({ topic, partitionCount: 2, replicationFactor: 1 })
  expect(described?.id).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(await kafka.admin.topicId(topic)).toBe(described?.id)
  expect(await kafka.admin.topicId('no-such-topic')).toBeUndefined()
  expect(await kafka.admin.clusterId()).toMatch(/^[A-Za-z0-9_-]{22}$/)

  await kafka.admin.deleteTopics([topic])
  await eventually(
    async () => {
      await kafka.admin.createTopics([{ topic, partitionCount: 2, replicationFactor: 1, configs: {} }])
      return true
    },
    { what: 'the topic is there again' },
  )
  expect(await kafka.admin.topicId(topic)).not.toBe(described?.id)
})

test('setting a configuration keeps those that were set before', async () => {
  const kafka = await platform.kafka({ topics: ['user-activity'] })
  const topic = kafka.topic('user-activity')
  await kafka.admin.alterTopicConfigs(topic, { 'segment.bytes': '10485760' })
  await kafka.admin.alterTopicConfigs(topic, { 'max.message.bytes': '2000000' })
  const configs = await kafka.admin.topicConfigs(topic)
  expect(configs.get('segment.bytes')).toBe('10485760')
  expect(configs.get('max.message.bytes')).toBe('2000000')
})

test.each(['none', 'gzip', 'zstd'] as const)('records compressed with %s come back whole', async (compression) => {
  const kafka = await platform.kafka({ topics: ['badge-events'], partitionCount: 1 })
  const producer = kafka.log.producer({ compression })
  const value = Buffer.alloc(100_000, compression)
  const record = { key: compression, value, headers: { name: 'ünï' }, timestampMs: 1_790_000_000_000 }
  await producer.send([{ topic: kafka.topic('badge-events'), records: [record] }])
  const found = (await kafka.readAll('badge-events')).find(({ key }) => key?.toString() === compression)
  expect(found).toMatchObject({ value, timestampMs: record.timestampMs })
  expect(found?.headers.name?.toString()).toBe('ünï')
  await producer.disconnect()
})

test('a send that no broker acknowledges in time is rejected, not retried out of sight', async () => {
  const away = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test', connectTimeoutMs: 200 }, silentLogger)
  const producer = away.producer({ sendTimeoutMs: 300 })
  const records = [{ key: 'a', value: null, headers: {}, timestampMs: 0 }]
  await expect(producer.send([{ topic: 'any', records }])).rejects.toBeInstanceOf(NotAcknowledged)
  await producer.disconnect()
})

test('an offset that the broker refuses is reported, and nothing is delivered from elsewhere', async () => {
  const kafka = await platform.kafka({ topics: ['wingman-sessions'], partitionCount: 1 })
  const topic = kafka.topic('wingman-sessions')
  const records = Array.from({ length: 5 }, (_, n) => ({ key: 'k', value: Buffer.of(n), headers: {}, timestampMs: n }))
  await kafka.append('wingman-sessions', records)
  const refused = Promise.withResolvers<OutOfPlace>()
  let delivered = 0
  const consumer = kafka.log.consumer({ group: kafka.group('refused'), topics: [topic] })
  consumer.start({
    onAssigned: (assignment) => assignment.map((partition) => consumer.seek(partition, 1_000n)),
    onBatch: (batch) => {
      delivered += batch.records.length
    },
    onOutOfPlace: refused.resolve,
    onInterrupted: refused.reject,
  })
  expect(await refused.promise).toMatchObject({ topic, partition: 0, kind: 'refused', expected: 1_000n })
  // A new record would come with the reset that kafkajs makes on its own.
  await kafka.append('wingman-sessions', records)
  consumer.seek({ topic, partition: 0 }, 8n)
  await eventually(() => delivered === 2, { what: 'the records from the sought offset on have come' })
  await consumer.stop()
})
