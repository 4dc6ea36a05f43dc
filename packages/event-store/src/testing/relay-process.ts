/** A relay as a process of its own, for tests that stop one. Says on standard output which state it enters. */
import { createPool } from '@bellyfed/postgres'
import { createLogger, createMetrics } from '@bellyfed/process'
import { createKafka } from '@bellyfed/stream'
import { createRelay } from '../relay.ts'

const { POSTGRES_URL = '', KAFKA_BROKERS = '', TOPIC_PREFIX = '', SILENCE_MS_MAX = '' } = process.env
const log = createLogger({ service: 'relay-process', level: 'warn' })
const pool = createPool({ url: POSTGRES_URL, schema: 'ranking_api', applicationName: 'relay-process' })
const relay = createRelay({
  pool,
  producer: createKafka({ brokers: KAFKA_BROKERS.split(','), clientId: 'relay-process' }, log).producer(),
  source: 'ranking-api',
  topicPrefix: TOPIC_PREFIX,
  registrySchemaId: async (schemaId) => schemaId,
  log,
  metrics: createMetrics('relay-process', { processMetrics: false }),
  silenceMsMax: Number(SILENCE_MS_MAX),
})
await pool.start()
await relay.start()

let state = ''
setInterval(() => {
  if (relay.state === state) return
  state = relay.state
  process.stdout.write(`state: ${state}\n`)
}, 5)
