import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { baseEnvironment, type Child, runToEnd, startChild, waitUntilReady } from './child-process.ts'
import { javaArguments } from './java-arguments.ts'
import { listsABroker } from './kafka-probe.ts'
import { defaultCacheDirectory, type KafkaPackages, prepareKafka } from './packages.ts'
import { anyFreePort, isPortFree } from './ports.ts'
import { listensOn } from './process-identity.ts'
import { logFileOf, onFreePort, type RunningPart, runPart } from './running-part.ts'

/**
 * One Apache Kafka broker that is its own controller (KRaft), on loopback and without authentication.
 * Its directory is formatted once; the cluster id stays with the directory.
 */
export interface KafkaOptions {
  /** Holds `data/`, `server.properties`, the controller's port and the log. */
  readonly directory: string
  readonly port?: number | undefined
  /** 256 by default. */
  readonly heapMiB?: number | undefined
  /** The optimising compiler: slower to start, faster after minutes of load. For benchmarks. */
  readonly serverCompiler?: boolean | undefined
  /** Lines of `server.properties` to add or replace. */
  readonly overrides?: Readonly<Record<string, string>> | undefined
  readonly packages?: KafkaPackages | undefined
  readonly onLog?: ((line: string) => void) | undefined
  /** Undefined: a log in the directory, or none when `onLog` takes the lines. */
  readonly logFile?: string | undefined
  /** Record a class data archive into this file at the end, instead of using one. */
  readonly recordArchive?: string | undefined
}

export type RunningKafka = RunningPart & { readonly brokers: string[] }

const formatTimeoutMs = 60_000
const readyTimeoutMs = 90_000
const stopTimeoutMs = 8_000

const baseProperties: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
  // A new group would wait 3 s for more members otherwise.
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  // A killed broker is taken back after this, instead of after 9 s.
  'broker.session.timeout.ms': '1000',
  'broker.heartbeat.interval.ms': '200',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'log.cleaner.threads': '1',
  'log.cleaner.dedupe.buffer.size': '16777216',
  'log.segment.bytes': '67108864',
  'log.index.size.max.bytes': '1048576',
  'metadata.log.segment.bytes': '8388608',
}

/** Starts Kafka on loopback; formats the directory first when it is new. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const packages = options.packages ?? (await prepareKafka({ cacheDirectory: defaultCacheDirectory() }))
  return onFreePort(options.port, anyFreePort, async (port) => {
    const properties = await writeProperties(directory, port, options.overrides ?? {})
    await formatOnce(directory, properties, packages, options)
    const part = await runPart({
      name: 'kafka',
      endpoint: `127.0.0.1:${port}`,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: options.recordArchive === undefined ? stopTimeoutMs : 60_000,
      launch: (onSpawn) => launch({ directory, properties, port, packages, options, onSpawn }),
    })
    return Object.assign(part, { brokers: [part.endpoint] })
  })
}

interface LaunchOptions {
  readonly directory: string
  readonly properties: string
  readonly port: number
  readonly packages: KafkaPackages
  readonly options: KafkaOptions
  readonly onSpawn: (child: Child) => void
}

async function launch({ directory, properties, port, packages, options, onSpawn }: LaunchOptions): Promise<Child> {
  const child = await startChild({
    name: 'kafka',
    command: packages.java.executable,
    args: [
      ...javaArguments({
        heapMiB: options.heapMiB ?? 256,
        serverCompiler: options.serverCompiler ?? false,
        archive: packages.kafkaArchive,
        recordArchive: options.recordArchive,
      }),
      ...loggingArguments,
      '-cp',
      packages.kafkaClassPath,
      'kafka.Kafka',
      properties,
    ],
    environment: baseEnvironment(),
    workingDirectory: directory,
    logFile: logFileOf(directory, 'kafka', options),
    onLine: options.onLog,
    onSpawn,
  })
  const isReady = async (): Promise<boolean> =>
    listensOn(child.identity.pid, port) && (await listsABroker('127.0.0.1', port))
  await waitUntilReady(child, isReady, readyTimeoutMs)
  return child
}

/** Warnings and the few lines that say what state the broker is in; its full start prints 60 KiB of settings. */
const loggingArguments = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.BrokerServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.showThreadName=false',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
  '-Dlog4j2.StatusLogger.level=OFF',
  '-Dlog4j.rootLogger.level=OFF',
]

async function writeProperties(
  directory: string,
  port: number,
  overrides: Readonly<Record<string, string>>,
): Promise<string> {
  const controllerPort = await rememberedControllerPort(directory)
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`
  const properties = {
    ...baseProperties,
    listeners,
    'advertised.listeners': listeners,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    'log.dirs': join(directory, 'data'),
    ...overrides,
  }
  const path = join(directory, 'server.properties')
  writeFileSync(
    path,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  return path
}

async function rememberedControllerPort(directory: string): Promise<number> {
  const path = join(directory, 'controller-port')
  const remembered = existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN
  if (Number.isInteger(remembered) && (await isPortFree(remembered))) return remembered
  const port = await anyFreePort()
  writeFileSync(path, String(port))
  return port
}

/** Formats into a draft directory, renamed when complete. */
async function formatOnce(
  directory: string,
  properties: string,
  packages: KafkaPackages,
  options: KafkaOptions,
): Promise<void> {
  const data = join(directory, 'data')
  if (existsSync(join(data, 'meta.properties'))) return
  const draft = join(directory, 'data.draft')
  rmSync(draft, { recursive: true, force: true })
  const draftProperties = join(directory, 'format.properties')
  writeFileSync(draftProperties, readFileSync(properties, 'utf8').replace(/^log\.dirs=.*$/m, `log.dirs=${draft}`))
  const format = ['format', '-t', newClusterId(), '--standalone', '-c', draftProperties]
  await runToEnd(
    {
      name: 'kafka format',
      command: packages.java.executable,
      args: [
        ...javaArguments({ heapMiB: 128, serverCompiler: false, archive: packages.kafkaArchive }),
        ...loggingArguments,
        '-cp',
        packages.kafkaClassPath,
        'kafka.tools.StorageTool',
        ...format,
      ],
      environment: baseEnvironment(),
      workingDirectory: directory,
      logFile: logFileOf(directory, 'kafka', options),
      onLine: options.onLog,
    },
    formatTimeoutMs,
  )
  rmSync(draftProperties)
  renameSync(draft, data)
}

/** 16 random bytes in base64url; one that starts with a hyphen would be read as an option. */
function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
