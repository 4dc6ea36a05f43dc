import { createHttpServer } from '@bellyfed/http'
import { assertMigrated, createPool, isTransient } from '@bellyfed/postgres'
import { createLogger, createMetrics, createOperationsServer, type Part, readConfig, run } from '@bellyfed/process'
import { createCodec, registryClient } from '@bellyfed/schemas'
import { createKafka, kafkaConfigOf } from '@bellyfed/stream'
import { settings } from './config.ts'
import { createHistoryConsumer, projectionPool } from './consumer.ts'
import { historyMigrations, schema } from './migrations.ts'
import { historyRoutes } from './routes.ts'

const config = readConfig(settings, process.env)
const log = createLogger({ service: 'history', level: config.logLevel })
const metrics = createMetrics('history')
const pool = createPool({ ...config.postgres, ...projectionPool, schema })
const database: Part = {
  name: 'migrations',
  start: () => assertMigrated(pool, historyMigrations),
  stop: async () => undefined,
}
const registry = registryClient(config.registryUrl)
const { consumer, passed } = createHistoryConsumer({
  kafka: createKafka(kafkaConfigOf(config.kafka, 'history'), log),
  topicPrefix: config.kafka.topicPrefix,
  pool,
  codec: createCodec({ writerSchema: registry.schemaOf }),
  client: config.consumer,
  ...{ log, metrics },
})
const { host, port, operationsPort } = config.http
const api = createHttpServer({
  ...{ host, port, log, metrics, auth: config.auth, isUnavailable: isTransient },
  openapi: { title: 'Bellyfed ranking history', version: '1' },
  routes: [historyRoutes({ pool, passed, receiptWaitMsMax: config.receiptWaitMsMax })],
})
const parts = [pool, database, consumer, api]
const streamMetrics = () => consumer.streamMetrics()
await run([createOperationsServer({ host, port: operationsPort, metrics, parts, log, streamMetrics }), ...parts], {
  log,
})
