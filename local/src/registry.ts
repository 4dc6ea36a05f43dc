import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { baseEnvironment, type Child, startChild, waitUntilReady } from './child-process.ts'
import { javaArguments } from './java-arguments.ts'
import { defaultCacheDirectory, prepareRegistry, type RegistryPackages } from './packages.ts'
import { anyFreePort } from './ports.ts'
import { listensOn } from './process-identity.ts'
import { logFileOf, onFreePort, type RunningPart, runPart } from './running-part.ts'

/**
 * Apicurio Registry, spoken to through its Confluent-compatible API. Its schemas live in PostgreSQL, so that they
 * survive a kill; the process itself keeps nothing.
 */
export interface RegistryOptions {
  /** Holds the log only. */
  readonly directory: string
  readonly port?: number | undefined
  readonly postgresUrl: string
  /** Schema of that database for the registry's tables; it must exist. `public` by default. */
  readonly schema?: string | undefined
  readonly packages?: RegistryPackages | undefined
  readonly onLog?: ((line: string) => void) | undefined
  /** Undefined: a log in the directory, or none when `onLog` takes the lines. */
  readonly logFile?: string | undefined
  /** Record a class data archive into this file at the end, instead of using one. */
  readonly recordArchive?: string | undefined
}

export type RunningRegistry = RunningPart & {
  /** Base of the Confluent-compatible API, `http://127.0.0.1:8081/apis/ccompat/v7`. */
  readonly url: string
}

const readyTimeoutMs = 90_000
const stopTimeoutMs = 8_000

/** Starts the registry on loopback. */
export async function startRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const packages = options.packages ?? (await prepareRegistry({ cacheDirectory: defaultCacheDirectory() }))
  return onFreePort(options.port, anyFreePort, async (port) => {
    const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
    const part = await runPart({
      name: 'registry',
      endpoint: url,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: options.recordArchive === undefined ? stopTimeoutMs : 60_000,
      launch: (onSpawn) => launch({ directory, port, url, packages, options, onSpawn }),
    })
    return Object.assign(part, { url })
  })
}

interface LaunchOptions {
  readonly directory: string
  readonly port: number
  readonly url: string
  readonly packages: RegistryPackages
  readonly options: RegistryOptions
  readonly onSpawn: (child: Child) => void
}

async function launch({ directory, port, url, packages, options, onSpawn }: LaunchOptions): Promise<Child> {
  const child = await startChild({
    name: 'registry',
    command: packages.java.executable,
    args: [
      ...javaArguments({
        heapMiB: 192,
        serverCompiler: false,
        archive: packages.registryArchive,
        recordArchive: options.recordArchive,
      }),
      '-cp',
      classPath(packages.registryDirectory),
      'io.quarkus.runner.GeneratedMain',
    ],
    environment: { ...baseEnvironment(), ...(await registryEnvironment(port, options)) },
    workingDirectory: directory,
    logFile: logFileOf(directory, 'registry', options),
    onLine: options.onLog,
    onSpawn,
  })
  const isReady = async (): Promise<boolean> =>
    listensOn(child.identity.pid, port) && (await get(`${url}/subjects`)) === 200
  await waitUntilReady(child, isReady, readyTimeoutMs)
  return child
}

async function registryEnvironment(port: number, options: RegistryOptions): Promise<NodeJS.ProcessEnv> {
  const postgres = new URL(options.postgresUrl)
  const schema = encodeURIComponent(options.schema ?? 'public')
  return {
    QUARKUS_PROFILE: 'prod',
    QUARKUS_HTTP_HOST: '127.0.0.1',
    QUARKUS_HTTP_PORT: String(port),
    QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
    QUARKUS_MANAGEMENT_PORT: String(await anyFreePort()),
    QUARKUS_OTEL_SDK_DISABLED: 'true',
    QUARKUS_LOG_CONSOLE_COLOR: 'false',
    QUARKUS_LOG_CONSOLE_FORMAT: '%d{yyyy-MM-dd HH:mm:ss.SSS} %p [%c{1.}] %s%e%n',
    QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
    APICURIO_STORAGE_KIND: 'sql',
    APICURIO_STORAGE_SQL_KIND: 'postgresql',
    APICURIO_DATASOURCE_URL: `jdbc:postgresql://${postgres.host}${postgres.pathname}?currentSchema=${schema}`,
    APICURIO_DATASOURCE_USERNAME: decodeURIComponent(postgres.username),
    APICURIO_DATASOURCE_PASSWORD: decodeURIComponent(postgres.password),
    // By default 20 connections, and after a restart of the database one failed request for each dead one of them.
    APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '1',
    APICURIO_DATASOURCE_JDBC_MIN_SIZE: '1',
    APICURIO_DATASOURCE_JDBC_MAX_SIZE: '10',
    QUARKUS_DATASOURCE_POSTGRESQL_JDBC_FOREGROUND_VALIDATION_INTERVAL: 'PT0.1S',
  }
}

/** Every jar by name: a wildcard's order is the file system's, and a class data archive needs the same order again. */
function classPath(directory: string): string {
  const jarsIn = (folder: string): string[] =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.jar'))
      .sort()
      .map((file) => join(folder, file))
  return [...jarsIn(directory), ...jarsIn(join(directory, 'lib'))].join(':')
}

async function get(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  return response.status
}
