/**
 * Writes, for each service, its schema as SQL and as an entity diagram into a folder, or checks that what is there is
 * what the migrations give. The schemas are built in a scratch database of its own, dropped afterwards, on any server
 * of which the caller is the owner. Roles belong to the whole server: those that had to be created for it are dropped.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { arrayOf } from './array-literals.ts'
import { quoteIdentifier, runStatement, runText } from './connection.ts'
import { dumpSchema } from './dump-schema.ts'
import { entityDiagram } from './entity-diagram.ts'
import { sqlStateOf } from './errors.ts'
import { type Migration, migrate } from './migrate.ts'
import { createSchemaAndRole } from './provision.ts'
import { inlineStatement } from './statement.ts'

const selectRoles = inlineStatement('roles', 'select rolname from pg_roles where rolname = any ($1::text[])')

export interface DocumentedSchema {
  readonly schema: string
  readonly migrations: readonly Migration[]
}

async function existingRoles(client: pg.Client, roles: readonly string[]): Promise<Set<string>> {
  const { rows } = await runStatement<{ rolname: string }>(client, selectRoles, [arrayOf.text(roles)])
  return new Set(rows.map((row) => row.rolname))
}

async function withScratchDatabase<Result>(
  ownerUrl: string,
  roles: readonly string[],
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  const database = `bellyfed_docs_${randomUUID().replaceAll('-', '')}`
  try {
    const before = await existingRoles(client, roles)
    await runText(client, `create database ${quoteIdentifier(database)} template template0`)
    const url = new URL(ownerUrl)
    url.pathname = `/${database}`
    try {
      return await use(url.href)
    } finally {
      await runText(client, `drop database ${quoteIdentifier(database)} with (force)`)
      for (const role of roles.filter((name) => !before.has(name))) await dropUnusedRole(client, role)
    }
  } finally {
    await client.end()
  }
}

/** Somebody else may have begun to use the role meanwhile (2BP01), or have dropped it too (42704): both are fine. */
async function dropUnusedRole(client: pg.Client, role: string): Promise<void> {
  try {
    await runText(client, `drop role ${quoteIdentifier(role)}`)
  } catch (error) {
    if (!['2BP01', '42704'].includes(sqlStateOf(error) ?? '')) throw error
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The documents of each schema by file name: `<schema>.sql` and `<schema>.md`. */
async function renderSchemas(ownerUrl: string, schemas: readonly DocumentedSchema[]): Promise<Map<string, string>> {
  const roles = schemas.map(({ schema }) => schema)
  return withScratchDatabase(ownerUrl, roles, async (url) => {
    const documents = new Map<string, string>()
    for (const { schema, migrations } of schemas) {
      await createSchemaAndRole(url, schema)
      await migrate(url, { schema, migrations })
      documents.set(`${schema}.sql`, await dumpSchema(url, schema))
      const diagram = await entityDiagram(url, schema)
      documents.set(
        `${schema}.md`,
        `# Schema \`${schema}\`\n\nGenerated from the migrations; do not edit. The tables in full: [${schema}.sql](${schema}.sql).\n\n\`\`\`mermaid\n${diagram}\`\`\`\n`,
      )
    }
    return documents
  })
}

/**
 * Renders the documents and compares them with `directory`. Returns the names of files that differ or are missing;
 * unless `check` is set they are written. Idempotent.
 */
export async function documentSchemas(
  ownerUrl: string,
  options: { schemas: readonly DocumentedSchema[]; directory: string; check?: boolean },
): Promise<{ changed: string[] }> {
  const documents = await renderSchemas(ownerUrl, options.schemas)
  await mkdir(options.directory, { recursive: true })
  const changed: string[] = []
  for (const [file, text] of documents) {
    const path = join(options.directory, file)
    if ((await contentOf(path)) === text) continue
    changed.push(file)
    if (!options.check) await writeFile(path, text)
  }
  return { changed }
}
