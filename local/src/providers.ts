import { createPool, inlineStatement, quoteIdentifier, sqlStateOf } from '@bellyfed/postgres'
import { startKafka } from './kafka.ts'
import type { Layout } from './layout.ts'
import type { KafkaPackages, RegistryPackages } from './packages.ts'
import { startPostgres } from './postgres.ts'
import { answers } from './probe.ts'
import { startRegistry } from './registry.ts'
import type { RememberedPorts } from './remembered-ports.ts'
import { isPortTaken, onFreePort, type RunningPart } from './running-part.ts'
import type { Probe } from './state-file.ts'

/**
 * Where a part comes from. Every part has one provider: `given` when the environment names its endpoint, `process`
 * when we run it ourselves. What follows sees only the provided endpoint.
 */
export interface Provider<Endpoint> {
  readonly name: string
  readonly kind: 'given' | 'process'
  /** The part, ready. A given one is only asked whether it answers. */
  provide(): Promise<Provided<Endpoint>>
}

export interface Provided<Endpoint> {
  readonly endpoint: Endpoint
  readonly probe: Probe
  /** Of a part we run. */
  readonly running: RunningPart | undefined
}

export interface PostgresEndpoint {
  /** Owner of the database in which the services live. */
  readonly ownerUrl: string
}
export interface KafkaEndpoint {
  readonly brokers: readonly string[]
}
export interface RegistryEndpoint {
  readonly url: string
}

export interface ProviderContext {
  readonly layout: Layout
  readonly environment: NodeJS.ProcessEnv
  readonly ports: RememberedPorts
  /** Fetch what is missing, when a part needs it. */
  readonly packages: { kafka(): Promise<KafkaPackages>; registry(): Promise<RegistryPackages> }
  readonly log: (name: string, line: string) => void
}

const databaseName = 'bellyfed'
const registrySchema = 'registry'

export function postgresProvider(context: ProviderContext): Provider<PostgresEndpoint> {
  const given = context.environment.POSTGRES_URL
  if (given !== undefined && given !== '') {
    const url = parseUrl('POSTGRES_URL', given, ['postgres:', 'postgresql:'])
    const probe: Probe = { kind: 'postgres', host: url.hostname, port: Number(url.port || 5432) }
    return givenProvider('postgres', 'POSTGRES_URL', { ownerUrl: given }, probe)
  }
  return {
    name: 'postgres',
    kind: 'process',
    async provide() {
      const directory = context.layout.partDirectory('postgres')
      return onRememberedPort(context.ports, 'postgres', 5432, async (port) => {
        const running = await startPostgres({ directory, port, onLog: (line) => context.log('postgres', line) })
        const ownerUrl = await createDatabase(running.ownerUrl)
        return { endpoint: { ownerUrl }, probe: { kind: 'postgres', host: '127.0.0.1', port }, running }
      })
    },
  }
}

export function kafkaProvider(context: ProviderContext): Provider<KafkaEndpoint> {
  const given = context.environment.KAFKA_BROKERS
  if (given !== undefined && given !== '') {
    const brokers = given.split(',').map((broker) => broker.trim())
    const [host, port] = (brokers[0] ?? '').split(/:(?=\d+$)/)
    if (!host || !port)
      throw new Error(`KAFKA_BROKERS is "${given}", but must be host:port, several separated by commas.`)
    return givenProvider('kafka', 'KAFKA_BROKERS', { brokers }, { kind: 'kafka', host, port: Number(port) })
  }
  return {
    name: 'kafka',
    kind: 'process',
    async provide() {
      const packages = await context.packages.kafka()
      const directory = context.layout.partDirectory('kafka')
      return onRememberedPort(context.ports, 'kafka', 9092, async (port) => {
        const running = await startKafka({ directory, port, packages, onLog: (line) => context.log('kafka', line) })
        return { endpoint: { brokers: running.brokers }, probe: { kind: 'kafka', host: '127.0.0.1', port }, running }
      })
    },
  }
}

/** The registry keeps its schemas in the database, so it starts when that is there. */
export function registryProvider(
  context: ProviderContext,
  postgres: Promise<Provided<PostgresEndpoint>>,
): Provider<RegistryEndpoint> {
  const given = context.environment.SCHEMA_REGISTRY_URL
  if (given !== undefined && given !== '') {
    parseUrl('SCHEMA_REGISTRY_URL', given, ['http:', 'https:'])
    const url = given.replace(/\/$/, '')
    return givenProvider('registry', 'SCHEMA_REGISTRY_URL', { url }, { kind: 'http', url: `${url}/subjects` })
  }
  return {
    name: 'registry',
    kind: 'process',
    async provide() {
      const [packages, { endpoint }] = await Promise.all([context.packages.registry(), postgres])
      await runAsOwner(endpoint.ownerUrl, `create schema if not exists ${quoteIdentifier(registrySchema)}`)
      return onRememberedPort(context.ports, 'registry', 8081, async (port) => {
        const running = await startRegistry({
          directory: context.layout.partDirectory('registry'),
          port,
          postgresUrl: endpoint.ownerUrl,
          schema: registrySchema,
          packages,
          onLog: (line) => context.log('registry', line),
        })
        return { endpoint: { url: running.url }, probe: { kind: 'http', url: `${running.url}/subjects` }, running }
      })
    },
  }
}

/** Starts on the port of this name; when somebody else was faster, on the next one. */
export async function onRememberedPort<T>(
  ports: RememberedPorts,
  name: string,
  usual: number,
  start: (port: number) => Promise<T>,
): Promise<T> {
  const findPort = (): Promise<number> => {
    ports.forget(name)
    return ports.portOf(name, usual)
  }
  try {
    return await start(await ports.portOf(name, usual))
  } catch (error) {
    if (!isPortTaken(error)) throw error
    return onFreePort(undefined, findPort, start)
  }
}

function givenProvider<Endpoint>(name: string, variable: string, endpoint: Endpoint, probe: Probe): Provider<Endpoint> {
  return {
    name,
    kind: 'given',
    async provide() {
      if (await answers(probe)) return { endpoint, probe, running: undefined }
      throw new Error(
        `${variable} names a ${name} that does not answer: start it, or unset ${variable} to have one run here.`,
      )
    },
  }
}

function parseUrl(variable: string, value: string, protocols: readonly string[]): URL {
  const url = URL.parse(value)
  if (url === null || !protocols.includes(url.protocol)) {
    throw new Error(`${variable} must be a URL that begins with ${protocols[0]}//.`)
  }
  return url
}

async function createDatabase(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl)
  url.pathname = `/${databaseName}`
  // There is no `if not exists` for databases, and nobody else creates this one.
  await runAsOwner(serverUrl, `create database ${quoteIdentifier(databaseName)}`, ['42P04'])
  return url.href
}

async function runAsOwner(ownerUrl: string, sql: string, expectedStates: readonly string[] = []): Promise<void> {
  const pool = createPool({ url: ownerUrl, schema: 'public', applicationName: 'local', poolSizeMax: 1 })
  await pool.start()
  try {
    await pool.query(inlineStatement('local-owner', sql))
  } catch (error) {
    const state = sqlStateOf(error)
    if (state === undefined || !expectedStates.includes(state)) throw error
  } finally {
    await pool.stop()
  }
}
