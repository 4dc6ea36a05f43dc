// Reads dish-rankings with an ordinary Kafka client and prints each event as one line of JSON. No group is left behind.
//
//   node examples/read-topic.mjs [count]      stops after so many records, or 2 s after the last one
//
// KAFKA_BROKERS (127.0.0.1:9092) and SCHEMA_REGISTRY_URL (http://127.0.0.1:8081/apis/ccompat/v7) say where.
import { randomUUID } from 'node:crypto'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = kafkajs
const { zstdDecompressSync } = await import('node:zlib')
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress: (bytes) => zstdDecompressSync(bytes) })

const wanted = Number(process.argv[2] ?? Number.POSITIVE_INFINITY)
const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',')
const registry = new SchemaRegistry({ host: process.env.SCHEMA_REGISTRY_URL ?? 'http://127.0.0.1:8081/apis/ccompat/v7' })
const kafka = new Kafka({ clientId: 'read-topic', brokers, logLevel: logLevel.NOTHING })
const groupId = `read-topic-${randomUUID()}`
const consumer = kafka.consumer({ groupId })
const finished = Promise.withResolvers()
let seen = 0
let quiet = setTimeout(finished.resolve, 15_000)

await consumer.connect()
await consumer.subscribe({ topic: 'dish-rankings', fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ partition, message }) => {
    if (seen >= wanted) return
    const event = await registry.decode(message.value)
    if (seen >= wanted) return
    seen += 1
    console.log(JSON.stringify({ type: message.headers['event-type'].toString(), partition, offset: message.offset, ...event }))
    clearTimeout(quiet)
    quiet = setTimeout(finished.resolve, 2_000)
    if (seen >= wanted) finished.resolve()
  },
})
await finished.promise
clearTimeout(quiet)
await consumer.disconnect()
const admin = kafka.admin()
await admin.connect()
await admin.deleteGroups([groupId])
await admin.disconnect()
