/**
 * Migrations: forward only, safe in company.
 *
 * Each migration is one transaction whose first statement inserts the migration's own id. The primary key makes any
 * other migrator of the same id wait there: if the first commits, the others see the row and go on to the next; if it
 * fails, the next in line does the work. So any number may run at once, and running again does nothing.
 * Before anything is applied the journal is compared with the code: an applied migration whose text has changed is
 * refused, and so is a database that holds migrations which this code does not know (the code is too old for it).
 *
 * Inside a migration unqualified names mean the service's schema, and `current_schema()` is also the name of the
 * service's role, so that a migration can take back a grant: append-only tables revoke update and delete.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { assertPlainName, clientOptions, quoteIdentifier, runStatement, runText } from './connection.ts'
import { sqlStateOf } from './errors.ts'
import type { Pool } from './pool.ts'
import { inlineStatement } from './statement.ts'

export interface Migration {
  /** Who owns it: `event-store`, `ranking-api`. Ids are unique within a component. */
  readonly component: string
  /** `0001-create-events`; ids sort in the order in which they are applied. */
  readonly id: string
  readonly sql: string
}

/** The database and this code do not fit together; the message says which of them has to move. */
export class MigrationMismatch extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MigrationMismatch'
  }
}

interface JournalRow {
  readonly component: string
  readonly id: string
  readonly checksum: string
}

const idPattern = /^\d{4}-[a-z0-9-]+$/

/** All `NNNN-name.sql` files of a folder in order. `readMigrations('history', import.meta.url, '../migrations')` */
export function readMigrations(component: string, moduleUrl: string, relativeDir: string): Migration[] {
  const directory = new URL(relativeDir.endsWith('/') ? relativeDir : `${relativeDir}/`, moduleUrl)
  return readdirSync(fileURLToPath(directory))
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const id = file.slice(0, -'.sql'.length)
      if (!idPattern.test(id))
        throw new Error(`migration ${component}/${file}: the name must be like 0001-create-x.sql`)
      return { component, id, sql: readFileSync(new URL(file, directory), 'utf8') }
    })
}

function keyOf(migration: { component: string; id: string }): string {
  return `${migration.component}/${migration.id}`
}

function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex')
}

function assertNoneTwice(migrations: readonly Migration[]): void {
  const seen = new Set<string>()
  for (const migration of migrations) {
    const key = keyOf(migration)
    if (seen.has(key)) throw new Error(`migration ${key} is listed twice`)
    seen.add(key)
  }
}

/** Throws when the database is ahead of the code, or an applied migration has another text than the code's. */
function assertNotAhead(schema: string, migrations: readonly Migration[], applied: readonly JournalRow[]): void {
  const known = new Map(migrations.map((migration) => [keyOf(migration), migration]))
  const unknown = applied.filter((row) => !known.has(keyOf(row))).map(keyOf)
  if (unknown.length > 0) {
    const newest = migrations.at(-1)
    throw new MigrationMismatch(
      `schema ${schema} is newer than this code: it holds ${unknown.join(', ')}, this code knows up to ` +
        `${newest ? keyOf(newest) : 'nothing'}; run a version of the code that includes ${unknown.at(-1)}`,
    )
  }
  for (const row of applied) {
    const migration = known.get(keyOf(row))
    if (migration && checksumOf(migration) !== row.checksum) {
      throw new MigrationMismatch(
        `migration ${keyOf(row)} was changed after it was applied to schema ${schema}; applied migrations are final, add a new one`,
      )
    }
  }
}

const selectJournal = inlineStatement(
  'select-journal',
  'select component, id, checksum from schema_migrations order by ordinal',
)
const insertJournal = inlineStatement(
  'insert-journal',
  'insert into schema_migrations (component, id, checksum) values ($1, $2, $3) on conflict do nothing',
)

/** Deploy steps of one database create and grant one after the other: catalog rows do not take concurrent updates. */
export const deployLockText = `select pg_advisory_xact_lock(hashtextextended('bellyfed deploy', 0));`

/** The schema and its journal, which the service may only read. */
function bootstrapText(schema: string): string {
  const name = quoteIdentifier(schema)
  return `
    begin;
    ${deployLockText}
    create schema if not exists ${name};
    ${grantText(schema)}
    create table if not exists ${name}.schema_migrations (
      component  text not null,
      id         text not null,
      checksum   text not null,
      ordinal    bigint generated always as identity,
      applied_at timestamptz not null default clock_timestamp(),
      primary key (component, id)
    );
    revoke insert, update, delete on ${name}.schema_migrations from ${name};
    commit;`
}

/** Usage of the schema, and of everything that its owner creates there from now on, for the role of the same name. */
export function grantText(schema: string): string {
  const name = quoteIdentifier(schema)
  return `
    grant usage on schema ${name} to ${name};
    alter default privileges in schema ${name} grant select, insert, update, delete on tables to ${name};
    alter default privileges in schema ${name} grant usage, select on sequences to ${name};`
}

/** A connection of the owner into one schema, without the limits that suit requests but not migrations. */
export async function withOwner<Result>(
  ownerUrl: string,
  schema: string,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(
    clientOptions({
      url: ownerUrl,
      schema,
      applicationName: 'bellyfed deploy',
      statementTimeoutMs: 0,
      idleInTransactionTimeoutMs: 60_000,
    }),
  )
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function assertRoleExists(client: pg.Client, schema: string): Promise<void> {
  const { rowCount } = await runStatement(
    client,
    inlineStatement('role-exists', 'select 1 from pg_roles where rolname = $1'),
    [schema],
  )
  if (rowCount === 0) {
    throw new Error(`role ${schema} does not exist: run provisionService for schema ${schema} before its migrations`)
  }
}

// A migration waits this long for a lock held by traffic, then gives way: everybody else queues up behind it meanwhile.
const lockTimeoutMs = 10_000

/** Applies one migration; false when another migrator had applied it. */
async function apply(client: pg.Client, migration: Migration): Promise<boolean> {
  await runText(client, 'begin')
  try {
    const { rowCount } = await runStatement(client, insertJournal, [
      migration.component,
      migration.id,
      checksumOf(migration),
    ])
    if (rowCount > 0) {
      await runText(client, `set local lock_timeout = ${lockTimeoutMs}`)
      await runText(client, migration.sql)
    }
    await runText(client, 'commit')
    return rowCount > 0
  } catch (error) {
    await runText(client, 'rollback').catch(() => {})
    throw new Error(`migration ${keyOf(migration)} failed and was undone: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** What a migrator tells; pino's `info(object, message)` fits. */
export interface MigrationLog {
  info(facts: object, message: string): void
}

/**
 * Brings a schema to the state of the given migrations, in the order given. The role of the schema's name must exist.
 * Throws `MigrationMismatch` for a database that is newer than the code or an applied migration that was changed.
 */
export async function migrate(
  ownerUrl: string,
  options: { schema: string; migrations: readonly Migration[]; log?: MigrationLog },
): Promise<{ applied: string[] }> {
  const { schema, migrations, log } = options
  assertPlainName('schema', schema)
  assertNoneTwice(migrations)
  return withOwner(ownerUrl, schema, async (client) => {
    await assertRoleExists(client, schema)
    await runText(client, bootstrapText(schema))
    const journal = await runStatement<JournalRow>(client, selectJournal)
    assertNotAhead(schema, migrations, journal.rows)
    const present = new Set(journal.rows.map(keyOf))
    const applied: string[] = []
    for (const migration of migrations) {
      if (present.has(keyOf(migration))) continue
      if (await apply(client, migration)) {
        applied.push(keyOf(migration))
        log?.info({ schema, migration: keyOf(migration) }, 'migration applied')
      }
    }
    return { applied }
  })
}

/** At start of a service: throws `MigrationMismatch` unless the schema holds exactly the code's migrations. */
export async function assertMigrated(pool: Pool, migrations: readonly Migration[]): Promise<void> {
  const applied = await readJournal(pool)
  assertNotAhead(pool.schema, migrations, applied)
  const present = new Set(applied.map(keyOf))
  const missing = migrations.filter((migration) => !present.has(keyOf(migration))).map(keyOf)
  if (missing.length > 0) {
    throw new MigrationMismatch(
      `schema ${pool.schema} is older than this code: it lacks ${missing.join(', ')}; run the deploy step of this version first`,
    )
  }
}

async function readJournal(pool: Pool): Promise<readonly JournalRow[]> {
  try {
    return (await pool.query<JournalRow>(selectJournal)).rows
  } catch (error) {
    if (sqlStateOf(error) === '42P01') return [] // no journal yet: nothing was ever applied
    throw error
  }
}
