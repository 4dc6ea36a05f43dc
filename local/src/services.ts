import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What runs on the parts: one line a process. A service whose folder was deleted is passed over; nothing else here
 * knows the services by name.
 */
export interface ServiceDefinition {
  readonly name: string
  /** Entry point, from the project's directory. */
  readonly entry: string
  /** Database schema, and role of the same name. */
  readonly schema: string
  /** Usual port of its HTTP interface, for a process that has one. */
  readonly httpPort?: number
  /** Usual port of its health and metrics. */
  readonly operationsPort: number
  /** The variable under which other services find its HTTP interface. */
  readonly urlVariable?: string
  /** Settings that suit one machine better than their defaults. */
  readonly settings?: Readonly<Record<string, string>>
  /** The public API. */
  readonly isApi?: boolean
  /** Its folder was deleted; it is not started. */
  readonly isAbsent?: boolean
}

/** Prepares what services need before they start: schema, role, migrations; or topics and registered schemas. */
export interface DeployStep {
  readonly name: string
  readonly entry: string
  readonly needs: 'postgres' | 'kafka and registry'
  /** The service's schema; undefined for steps that touch no database. */
  readonly schema?: string
}

/** One file of ratings that comes with the project. Paths from the project's directory. */
export interface BundledRatings {
  readonly name: string
  readonly file: string
  readonly mapping: string
}

/** Of what the screen tells and lets try. */
export interface Example {
  readonly city: string
  readonly dishType: string
}

export interface PlatformDefinition {
  readonly services: readonly ServiceDefinition[]
  readonly deploySteps: readonly DeployStep[]
  readonly importEntry: string
  readonly bundledRatings: readonly BundledRatings[]
  readonly example: Example
}

/** After a kill the group waits this long for the dead member: 30 s by default, which suits rolling deployments. */
const localConsumer = { CONSUMER_SESSION_TIMEOUT_MS: '6000' }

const definition: PlatformDefinition = {
  services: [
    {
      name: 'ranking-api',
      entry: 'services/ranking-api/src/main.ts',
      schema: 'ranking_api',
      httpPort: 8080,
      operationsPort: 9180,
      isApi: true,
    },
    {
      name: 'ranking-api-relay',
      entry: 'services/ranking-api/src/relay-main.ts',
      schema: 'ranking_api',
      operationsPort: 9181,
    },
    {
      name: 'history',
      entry: 'services/history/src/main.ts',
      schema: 'history',
      httpPort: 8082,
      operationsPort: 9182,
      urlVariable: 'HISTORY_URL',
      settings: localConsumer,
    },
  ],
  deploySteps: [
    { name: 'schemas', entry: 'packages/stream/src/deploy-topics.ts', needs: 'kafka and registry' },
    { name: 'ranking-api', entry: 'services/ranking-api/src/deploy.ts', needs: 'postgres', schema: 'ranking_api' },
    { name: 'history', entry: 'services/history/src/deploy.ts', needs: 'postgres', schema: 'history' },
  ],
  importEntry: 'import/src/main.ts',
  bundledRatings: [
    { name: 'burritos', file: 'examples/burritos.csv', mapping: 'examples/burritos.mapping.json' },
    { name: 'untappd', file: 'examples/untappd_checkins.csv', mapping: 'examples/untappd.mapping.json' },
  ],
  // As the burritos' mapping names them.
  example: { city: 'San Diego area', dishType: 'burrito' },
}

/** The platform, as far as it is there. Absent services stay in the table: others are still told their address. */
export function platformOf(project: string, whole: PlatformDefinition = definition): PlatformDefinition {
  const isThere = (path: string): boolean => existsSync(join(project, path))
  return {
    services: whole.services.map((service) => ({ ...service, isAbsent: !isThere(service.entry) })),
    deploySteps: whole.deploySteps.filter((step) => isThere(step.entry)),
    importEntry: whole.importEntry,
    example: whole.example,
    bundledRatings: isThere(whole.importEntry)
      ? whole.bundledRatings.filter(({ file, mapping }) => isThere(file) && isThere(mapping))
      : [],
  }
}
