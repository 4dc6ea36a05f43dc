import { createRelayWaker } from '@bellyfed/event-store'
import { createPool } from '@bellyfed/postgres'
import { createLogger, createMetrics, createOperationsServer, readConfig, run } from '@bellyfed/process'
import { createCodec, registryClient } from '@bellyfed/schemas'
import { createApi } from './api.ts'
import { commandPoolConfig, createRankingCommands } from './commands/ranking-commands.ts'
import { settings } from './config.ts'
import { createEventLog } from './event-log.ts'
import { schema } from './migrations.ts'

const config = readConfig(settings, process.env)
const log = createLogger({ service: 'ranking-api', level: config.logLevel })
const metrics = createMetrics('ranking-api')
const pool = createPool({ ...config.postgres, schema, applicationName: 'ranking-api' })
const commandPool = createPool({ ...pool.config, ...commandPoolConfig, applicationName: 'ranking-api commands' })
const registry = registryClient(config.registryUrl)
const eventLog = createEventLog(pool, registry)
const waker = createRelayWaker({ pool, log })
const rankings = createRankingCommands({
  pool: commandPool,
  codec: createCodec({ writerSchema: registry.schemaOf }),
  schemaIds: eventLog.schemaIds,
  log,
  metrics,
  options: { onCommitted: waker.wake },
})
const api = createApi({ config, pool, rankings, log, metrics })
const parts = [pool, commandPool, eventLog, waker, rankings, api]
const { host, operationsPort: port } = config.http
await run([createOperationsServer({ host, port, metrics, parts, log }), ...parts], { log })
