/**
 * The real parts that integration tests run against, started at most once a run and only when a test file first asks:
 * a run of one database test does not wait for Kafka. PostgreSQL and Kafka start side by side; the registry follows
 * PostgreSQL, which it stores in. Parts given by environment variables are used as they are and left running.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningPart, startKafka, startPostgres, startRegistry } from '@bellyfed/local'
import { registerSchemas, registryClient } from '@bellyfed/schemas'

/** Environment variables that name parts already running, e.g. those of `serve-parts.ts`. */
export const givenPartVariables = {
  postgres: 'BELLYFED_TEST_POSTGRES_URL',
  kafka: 'BELLYFED_TEST_KAFKA_BROKERS',
  registry: 'BELLYFED_TEST_REGISTRY_URL',
} as const

/** Where each part is reached. */
export interface Endpoints {
  /** URL of a superuser of the PostgreSQL cluster. */
  postgres: string
  /** Bootstrap servers, comma-separated. */
  kafka: string
  /** Base URL of the registry's Confluent-compatible API; every schema of the project is registered. */
  registry: string
}

// A test's data need not survive the machine's end; kill -9 of the server loses nothing with this either.
const postgresSettings = { fsync: 'off', full_page_writes: 'off' }

export type PartName = keyof Endpoints
export const partNames: readonly PartName[] = ['postgres', 'kafka', 'registry']

export interface Parts {
  /** Where a part is reached; starts it when nobody asked before. Asking twice, or at once, starts it once. */
  endpoint(name: PartName): Promise<string>
  /** Stops what was started, the latest first, and removes its data. */
  stop(): Promise<void>
}

/** The parts of one run. Nothing is started yet. */
export function createParts(environment: NodeJS.ProcessEnv): Parts {
  const endpoints = new Map<PartName, Promise<string>>()
  const started: RunningPart[] = []
  let directory: Promise<string> | undefined

  const directoryFor = async (name: PartName) => {
    directory ??= temporaryDirectory()
    const path = join(await directory, name)
    await mkdir(path)
    return path
  }
  const keep = <P extends RunningPart>(part: P): P => {
    started.push(part)
    return part
  }
  const start: Record<PartName, () => Promise<string>> = {
    postgres: async () =>
      keep(await startPostgres({ directory: await directoryFor('postgres'), settings: postgresSettings })).ownerUrl,
    kafka: async () => keep(await startKafka({ directory: await directoryFor('kafka') })).brokers.join(','),
    registry: async () => {
      const postgresUrl = await endpoint('postgres')
      return keep(await startRegistry({ directory: await directoryFor('registry'), postgresUrl })).url
    },
  }
  const prepared = async (name: PartName): Promise<string> => {
    const given = environment[givenPartVariables[name]]
    const found = given === undefined || given === '' ? await start[name]() : given
    // Once a run, as a deployment does it: producers never register.
    if (name === 'registry') await registerSchemas(registryClient(found))
    return found
  }
  const endpoint = (name: PartName): Promise<string> => {
    const asked = endpoints.get(name) ?? prepared(name)
    endpoints.set(name, asked)
    return asked
  }

  return {
    endpoint,
    async stop() {
      await Promise.allSettled(endpoints.values())
      for (const part of started.reverse()) await part.stop()
      if (directory !== undefined) await rm(await directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bellyfed-test-'))
  // PostgreSQL refuses to run as root, and the ordinary user that it then runs as must reach its data from above.
  await chmod(path, 0o755)
  return path
}
