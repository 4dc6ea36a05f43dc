/**
 * The deploy step of the log: topics as the topic table says, then the schemas of all released events. Idempotent, and
 * safe beside itself. Run it before services of a new version start.
 */
import { parseArgs } from 'node:util'
import { createLogger, env, integer, readConfig, url } from '@bellyfed/process'
import { type Deployed, deploySchemas, registryClient } from '@bellyfed/schemas'
import { kafkaConfigOf, kafkaSettings } from './kafka/config.ts'
import { createKafka } from './kafka/create-kafka.ts'

const usage = `Usage: node packages/stream/dist/deploy-topics.js [--check] [--help]

Creates the topics that are missing, sets declared settings that differ, and registers
the schemas of all released events. Never changes partitions or replication of a topic
that exists: it refuses instead.

  --check  changes nothing; exit code 3 when something would change
  --help   this text

Environment: KAFKA_BROKERS, SCHEMA_REGISTRY_URL; TOPIC_PREFIX and
TOPIC_REPLICATION_FACTOR when they are not the defaults; KAFKA_SASL_* and KAFKA_TLS*.
`

const wouldChange = 3

/** The environment variables of this deploy step. */
export const deployTopicsSettings = {
  kafka: kafkaSettings,
  registryUrl: env(
    'SCHEMA_REGISTRY_URL',
    url({ schemes: ['http', 'https'] }),
    'Base URL of the schema registry’s Confluent-compatible API; for Apicurio it ends in /apis/ccompat/v7.',
  ),
  replicationFactor: env(
    'TOPIC_REPLICATION_FACTOR',
    integer({ min: 1, max: 9, default: 1 }),
    'Copies of each partition of the topics that the deploy step creates.',
  ),
}

async function deploy(check: boolean): Promise<Deployed> {
  const config = readConfig(deployTopicsSettings, process.env)
  const log = createLogger({ service: 'deploy-topics', level: 'warn' })
  const admin = createKafka(kafkaConfigOf(config.kafka, 'deploy-topics'), log).admin()
  try {
    return await deploySchemas({
      admin,
      registry: registryClient(config.registryUrl),
      prefix: config.kafka.topicPrefix,
      replicationFactor: config.replicationFactor,
      check,
    })
  } finally {
    await admin.close()
  }
}

function report({ topics, subjects }: Deployed): string {
  const ofTopics = topics.map(({ topic, outcome, differences }) => {
    const changes = differences.map(({ setting, declared, actual }) => `${setting} ${actual ?? 'unset'} → ${declared}`)
    return `topic ${topic}: ${[outcome, ...changes].join(', ')}`
  })
  const ofSubjects = subjects.map(
    ({ subject, id }) => `schema ${subject}: ${id === undefined ? 'missing' : `id ${id}`}`,
  )
  return [...ofTopics, ...ofSubjects].join('\n')
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const check = values.check ?? false
  const deployed = await deploy(check)
  console.log(report(deployed))
  return check && !deployed.isUpToDate ? wouldChange : 0
}

if (import.meta.main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
    process.exitCode = 1
  }
}
