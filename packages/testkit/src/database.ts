/** Databases of one test file: made for it on the shared cluster, dropped when it ends. */
import { randomUUID } from 'node:crypto'
import {
  createPool,
  inlineStatement,
  type Migration,
  migrate,
  type Pool,
  type PostgresConfig,
  provisionService,
  quoteIdentifier,
} from '@bellyfed/postgres'

/** Every service role of the test cluster has this password. */
const password = 'test-only'

export interface ServiceSchema {
  /** Also the name of the role. */
  schema: string
  migrations: readonly Migration[]
}

export interface TestDatabase {
  readonly name: string
  /** For migrations and for what only an owner may do. */
  readonly ownerUrl: string
  /** What the service itself is given as POSTGRES_URL. */
  urlOf(schema: string): string
  /** A started pool with the service's own rights, stopped when the file ends. */
  pool(schema: string, options?: Partial<Omit<PostgresConfig, 'url' | 'schema'>> & { url?: string }): Promise<Pool>
  /** A started pool with the owner's rights on a schema, stopped when the file ends. */
  ownerPool(schema: string): Promise<Pool>
}

/** Collects what has to be undone, and undoes it in reverse. */
export interface Cleanup {
  add(undo: () => Promise<unknown>): void
}

/** Creates a database, and in it each service's schema and role with its migrations applied. */
export async function createTestDatabase(
  clusterUrl: string,
  services: readonly ServiceSchema[],
  cleanup: Cleanup,
): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  // template0: nobody can be connected to it, so that many files create databases at once.
  await asOwner(clusterUrl, `create database ${quoteIdentifier(name)} template template0`)
  cleanup.add(() => asOwner(clusterUrl, `drop database if exists ${quoteIdentifier(name)} with (force)`))
  const ownerUrl = withUrl(clusterUrl, { database: name })
  for (const { schema, migrations } of services) {
    await provisionService(ownerUrl, { schema, role: schema, password })
    await migrate(ownerUrl, { schema, migrations })
  }
  const urlOf = (schema: string) => withUrl(ownerUrl, { user: schema, password })
  const open = async (config: PostgresConfig) => {
    const pool = createPool(config)
    cleanup.add(() => pool.stop())
    await pool.start()
    return pool
  }
  return {
    name,
    ownerUrl,
    urlOf,
    pool: (schema, options = {}) => open({ url: urlOf(schema), applicationName: `test ${schema}`, ...options, schema }),
    ownerPool: (schema) => open({ url: ownerUrl, applicationName: `test owner of ${schema}`, schema, poolSizeMax: 2 }),
  }
}

async function asOwner(clusterUrl: string, text: string): Promise<void> {
  const pool = createPool({
    url: clusterUrl,
    schema: 'public',
    applicationName: 'test set-up',
    poolSizeMax: 1,
    statementTimeoutMs: 60_000,
  })
  try {
    await pool.query(inlineStatement('test-set-up', text))
  } finally {
    await pool.stop()
  }
}

function withUrl(url: string, change: { database?: string; user?: string; password?: string }): string {
  const changed = new URL(url)
  if (change.database !== undefined) changed.pathname = `/${change.database}`
  if (change.user !== undefined) changed.username = change.user
  if (change.password !== undefined) changed.password = change.password
  return changed.href
}
