import { createRelay } from '@bellyfed/event-store'
import { createPool } from '@bellyfed/postgres'
import { createLogger, createMetrics, createOperationsServer, readConfig, run } from '@bellyfed/process'
import { registryClient } from '@bellyfed/schemas'
import { createKafka, kafkaConfigOf } from '@bellyfed/stream'
import { eventSource } from './commands/ranking-commands.ts'
import { relaySettings } from './config.ts'
import { schema } from './migrations.ts'
import { createRegistryIds } from './registry-ids.ts'

const service = 'ranking-api-relay'
const config = readConfig(relaySettings, process.env)
const log = createLogger({ service, level: config.logLevel })
const metrics = createMetrics(service)
const pool = createPool({ ...config.postgres, schema, applicationName: service })
const relay = createRelay({
  pool,
  producer: createKafka(kafkaConfigOf(config.kafka, service), log).producer(),
  source: eventSource,
  topicPrefix: config.kafka.topicPrefix,
  registrySchemaId: createRegistryIds(pool, registryClient(config.registryUrl)),
  log,
  metrics,
  ...config.relay,
})
const parts = [pool, relay]
const { host, operationsPort: port } = config.http
await run([createOperationsServer({ host, port, metrics, parts, log }), ...parts], { log })
