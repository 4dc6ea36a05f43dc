/**
 * The deploy step of the contract: creates the topics and registers the schemas. Running it again, or twice at once,
 * changes nothing.
 */
import { choice, createLogger, env, logLevels, readConfig, url } from '@bellyfed/process'
import { deploySchemas, registryClient } from '@bellyfed/schemas'
import { createKafka, kafkaConfigOf, kafkaSettings } from '@bellyfed/stream'

const settings = {
  kafka: kafkaSettings,
  registryUrl: env(
    'SCHEMA_REGISTRY_URL',
    url({ schemes: ['http', 'https'] }),
    'Base of the registry’s Confluent-compatible API; for Apicurio it ends in /apis/ccompat/v7.',
  ),
  logLevel: env('LOG_LEVEL', choice(logLevels, { default: 'info' }), 'What is logged.'),
}

const config = readConfig(settings, process.env)
const log = createLogger({ service: 'schemas-deploy', level: config.logLevel })
const admin = createKafka(kafkaConfigOf(config.kafka, 'schemas-deploy'), log).admin()
try {
  const deployed = await deploySchemas({
    admin,
    registry: registryClient(config.registryUrl),
    prefix: config.kafka.topicPrefix,
  })
  log.info({ topics: deployed.topics, subjects: deployed.subjects.length }, 'topics and schemas are up to date')
} finally {
  await admin.close()
}
