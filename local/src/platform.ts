import { endAllChildren, livingChildren, watchChildren } from './child-process.ts'
import { type KeptPart, keepRunning } from './keep-running.ts'
import { audience, issuer, localKey } from './keys.ts'
import { type Layout, readJson } from './layout.ts'
import type { LogBook } from './log-book.ts'
import { defaultCacheDirectory, type PrepareOptions, prepareKafka, prepareRegistry } from './packages.ts'
import { identityOf } from './process-identity.ts'
import {
  type KafkaEndpoint,
  kafkaProvider,
  type PostgresEndpoint,
  type Provided,
  type Provider,
  type ProviderContext,
  postgresProvider,
  type RegistryEndpoint,
  registryProvider,
} from './providers.ts'
import { type RememberedPorts, rememberedPorts } from './remembered-ports.ts'
import { secretOf } from './secrets.ts'
import { runProgram, startService } from './service-process.ts'
import type { DeployStep, PlatformDefinition, ServiceDefinition } from './services.ts'
import { type PartKind, type Phase, type Probe, writeState } from './state-file.ts'

/**
 * The running platform.
 *
 * Start: PostgreSQL, Kafka and the registry side by side (the registry as soon as PostgreSQL is there); each deploy
 * step as soon as what it needs is there; then every service side by side. Whatever ends on its own from then on is
 * started again. Stop, in reverse: services, Kafka and the registry, PostgreSQL last.
 * A start that fails or is interrupted ends what it has started.
 */
export interface Platform {
  readonly apiUrl: string | undefined
  readonly endpoints: Endpoints
  start(): Promise<void>
  stop(): Promise<void>
  setPhase(phase: Phase): void
}

export interface Endpoints {
  readonly postgres: PostgresEndpoint
  readonly kafka: KafkaEndpoint
  readonly registry: RegistryEndpoint
}

export interface PlatformOptions {
  readonly layout: Layout
  readonly definition: PlatformDefinition
  readonly environment: NodeJS.ProcessEnv
  readonly logBook: LogBook
  /** What a person should see: `kafka`, `ready on 127.0.0.1:9092`. */
  readonly tell: (name: string, text: string) => void
}

interface PartRecord {
  readonly name: string
  readonly kind: PartKind
  readonly probe: Probe
  readonly port: number | undefined
  kept: KeptPart | undefined
}

const deployTimeoutMs = 120_000
const endChildTimeoutMs = 3_000

export function createPlatform(options: PlatformOptions): Platform {
  const { layout, definition, environment, logBook, tell } = options
  const ports = rememberedPorts(layout.ports)
  const self = identityOf(process.pid)
  const records: PartRecord[] = []
  let phase: Phase = 'starting'
  let endpoints: Endpoints | undefined
  let apiUrl: string | undefined
  let isStopping = false

  const save = (): void => {
    if (self === undefined) return
    const living = livingChildren()
    const names = new Set(records.map((record) => record.name))
    writeState(layout.state, {
      supervisor: self,
      phase,
      api: apiUrl,
      parts: records.map((record) => ({
        name: record.name,
        kind: record.kind,
        process: living.find((child) => child.name === record.name)?.identity,
        port: record.port,
        probe: record.probe,
        restartCount: record.kept?.restartCount ?? 0,
      })),
      passing: living
        .filter((child) => !names.has(child.name))
        .map(({ name, identity }) => ({ name, process: identity })),
    })
  }
  watchChildren(save)

  const record = (part: PartRecord): PartRecord => {
    records.push(part)
    save()
    return part
  }
  const keep = (part: PartRecord, running: Provided<unknown>['running']): void => {
    if (running === undefined || phase === 'stopping') return
    const log = (text: string): void => {
      if (phase !== 'stopping') tell(part.name, text)
    }
    part.kept = keepRunning(running, { log, onChange: save })
    save()
  }

  const context: ProviderContext = {
    layout,
    environment,
    ports,
    packages: packagesFor(tell),
    log: (name, line) => logBook.write(name, line),
  }
  const provide = async <Endpoint>(provider: Provider<Endpoint>): Promise<Provided<Endpoint>> => {
    const startedAtMs = performance.now()
    const provided = await provider.provide()
    const { name, kind } = provider
    keep(record({ name, kind, probe: provided.probe, port: portOf(provided.probe), kept: undefined }), provided.running)
    const where = kind === 'given' ? 'given by the environment' : `ready on port ${portOf(provided.probe)}`
    tell(name, `${where} (${seconds(startedAtMs)})`)
    return provided
  }

  const startServices = async (found: Endpoints): Promise<void> => {
    const plans = await Promise.all(definition.services.map((service) => plan(service, ports)))
    apiUrl = plans.find(({ service }) => service.isApi)?.url
    const urls = Object.fromEntries(
      plans.flatMap(({ service, url }) => (service.urlVariable === undefined ? [] : [[service.urlVariable, url]])),
    )
    const shared = { ...urls, ...(await sharedEnvironment(options, found)) }
    const present = plans.filter(({ service }) => service.isAbsent !== true)
    await Promise.all(
      present.map(async ({ service, httpPort, operationsPort, url }) => {
        const startedAtMs = performance.now()
        const ready: Probe = { kind: 'http', url: `http://127.0.0.1:${operationsPort}/ready` }
        const part = record({
          name: service.name,
          kind: 'service',
          probe: ready,
          port: httpPort ?? operationsPort,
          kept: undefined,
        })
        const running = await startService({
          name: service.name,
          entry: service.entry,
          layout,
          ready,
          ports: [operationsPort, ...(httpPort === undefined ? [] : [httpPort])],
          environment: {
            ...service.settings,
            ...shared,
            POSTGRES_URL: serviceUrl(layout, found.postgres.ownerUrl, service.schema),
            HTTP_HOST: '127.0.0.1',
            OPERATIONS_PORT: String(operationsPort),
            ...(httpPort === undefined ? {} : { HTTP_PORT: String(httpPort) }),
          },
          onLine: (line) => logBook.write(service.name, line),
        })
        keep(part, running)
        tell(service.name, `ready${url === undefined ? '' : ` on ${url}`} (${seconds(startedAtMs)})`)
      }),
    )
  }

  const deploy = async (step: DeployStep, found: Partial<Endpoints>): Promise<void> => {
    const startedAtMs = performance.now()
    const name = `deploy-${step.name}`
    const ownerUrl = found.postgres?.ownerUrl
    const database =
      ownerUrl === undefined || step.schema === undefined
        ? {}
        : { DEPLOY_POSTGRES_URL: ownerUrl, POSTGRES_URL: serviceUrl(layout, ownerUrl, step.schema) }
    const stream =
      found.kafka === undefined || found.registry === undefined
        ? {}
        : { KAFKA_BROKERS: found.kafka.brokers.join(','), SCHEMA_REGISTRY_URL: found.registry.url }
    await runProgram(
      {
        name,
        entry: step.entry,
        layout,
        environment: { ...passedOn(environment), ...database, ...stream },
        onLine: (line) => logBook.write(name, line),
      },
      deployTimeoutMs,
    )
    tell('deployed', `${step.name} (${seconds(startedAtMs)})`)
  }

  const startAll = async (): Promise<void> => {
    const postgres = provide(postgresProvider(context))
    const kafka = provide(kafkaProvider(context))
    const registry = provide(registryProvider(context, postgres))
    const steps = definition.deploySteps.map(async (step) => {
      const found: Partial<Endpoints> =
        step.needs === 'postgres'
          ? { postgres: (await postgres).endpoint }
          : { kafka: (await kafka).endpoint, registry: (await registry).endpoint }
      await deploy(step, found)
    })
    await Promise.all([postgres, kafka, registry, ...steps])
    endpoints = {
      postgres: (await postgres).endpoint,
      kafka: (await kafka).endpoint,
      registry: (await registry).endpoint,
    }
    await startServices(endpoints)
  }

  return {
    get apiUrl() {
      return apiUrl
    },
    get endpoints() {
      if (endpoints === undefined) throw new Error('The parts have not been started.')
      return endpoints
    },
    start: startAll,
    async stop() {
      if (isStopping) return
      isStopping = true
      phase = 'stopping'
      save()
      const stopAll = (parts: readonly PartRecord[]) => Promise.all(parts.map((part) => part.kept?.stop()))
      await stopAll(records.filter(({ kind }) => kind === 'service'))
      await stopAll(records.filter(({ kind, name }) => kind === 'process' && name !== 'postgres'))
      await stopAll(records.filter(({ name }) => name === 'postgres'))
      // Of a start that was interrupted: what is no part yet.
      await endAllChildren(endChildTimeoutMs)
      save()
      watchChildren(undefined)
    },
    setPhase(next) {
      phase = next
      save()
    },
  }
}

/** Without recording class data archives: the first start is the one that a person waits for. */
function packagesFor(tell: PlatformOptions['tell']): ProviderContext['packages'] {
  const options: PrepareOptions = {
    cacheDirectory: defaultCacheDirectory(),
    onProgress: ({ part, text }) => tell(part, text),
    recordArchives: false,
  }
  return { kafka: () => prepareKafka(options), registry: () => prepareRegistry(options) }
}

interface ServicePlan {
  readonly service: ServiceDefinition
  readonly httpPort: number | undefined
  readonly operationsPort: number
  readonly url: string | undefined
}

async function plan(service: ServiceDefinition, ports: RememberedPorts): Promise<ServicePlan> {
  const httpPort = service.httpPort === undefined ? undefined : await ports.portOf(service.name, service.httpPort)
  const operationsPort = await ports.portOf(`${service.name} operations`, service.operationsPort)
  return { service, httpPort, operationsPort, url: httpPort === undefined ? undefined : `http://127.0.0.1:${httpPort}` }
}

async function sharedEnvironment(
  { layout, environment }: PlatformOptions,
  found: Endpoints,
): Promise<NodeJS.ProcessEnv> {
  await localKey(layout)
  return {
    ...passedOn(environment),
    KAFKA_BROKERS: found.kafka.brokers.join(','),
    SCHEMA_REGISTRY_URL: found.registry.url,
    JWT_JWKS: JSON.stringify(readJson(layout.publicKeys)),
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
  }
}

/** Settings that reach the services as the user gave them. */
function passedOn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isPassedOn = (name: string): boolean => passedOnPrefixes.some((prefix) => name.startsWith(prefix))
  return Object.fromEntries(Object.entries(environment).filter(([name]) => isPassedOn(name)))
}

const passedOnPrefixes = ['LOG_', 'TOPIC_', 'KAFKA_', 'CONSUMER_', 'RELAY_', 'RECEIPT_', 'RATE_LIMIT_']

/** The owner's URL with the name and password of the service's role. */
function serviceUrl(layout: Layout, ownerUrl: string, schema: string): string {
  const url = new URL(ownerUrl)
  url.username = schema
  url.password = secretOf(layout.secrets, schema)
  return url.href
}

function portOf(probe: Probe): number {
  if (probe.kind !== 'http') return probe.port
  const url = new URL(probe.url)
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function seconds(startedAtMs: number): string {
  return `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`
}
