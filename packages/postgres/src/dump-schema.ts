/**
 * A schema as deterministic text, read from the catalogs: tables with columns, types, defaults, storage settings,
 * comments, constraints, indexes, grants; then types, functions and triggers. Equal schemas give equal bytes, so a
 * committed dump shows in review what a migration changes, and drift is one comparison. It documents; `pg_dump` is for
 * restoring.
 */
import type pg from 'pg'
import { assertPlainName, runStatement } from './connection.ts'
import { withOwner } from './migrate.ts'
import { statement } from './statement.ts'

const selectTables = statement(import.meta.url, '../sql/dump-tables.sql')
const selectColumns = statement(import.meta.url, '../sql/dump-columns.sql')
const selectConstraints = statement(import.meta.url, '../sql/dump-constraints.sql')
const selectIndexes = statement(import.meta.url, '../sql/dump-indexes.sql')
const selectGrants = statement(import.meta.url, '../sql/dump-grants.sql')
const selectRoutines = statement(import.meta.url, '../sql/dump-routines.sql')

interface TableRow {
  name: string
  kind: string
  definition: string | null
  options: string | null
  comment: string | null
}
interface ColumnRow {
  table_name: string
  name: string
  type: string
  not_null: boolean
  default: string | null
  comment: string | null
}
interface DefinitionRow {
  table_name: string
  name: string
  definition: string
}
interface GrantRow {
  table_name: string
  grantee: string
  privileges: string
}

interface Catalog {
  tables: TableRow[]
  columns: ColumnRow[]
  constraints: DefinitionRow[]
  indexes: DefinitionRow[]
  grants: GrantRow[]
  routines: { definition: string }[]
}

async function readCatalog(client: pg.Client, schema: string): Promise<Catalog> {
  const [tables, columns, constraints, indexes, grants, routines] = await Promise.all([
    runStatement<TableRow>(client, selectTables, [schema]),
    runStatement<ColumnRow>(client, selectColumns, [schema]),
    runStatement<DefinitionRow>(client, selectConstraints, [schema]),
    runStatement<DefinitionRow>(client, selectIndexes, [schema]),
    runStatement<GrantRow>(client, selectGrants, [schema]),
    runStatement<{ definition: string }>(client, selectRoutines, [schema]),
  ])
  return {
    tables: tables.rows,
    columns: columns.rows,
    constraints: constraints.rows,
    indexes: indexes.rows,
    grants: grants.rows,
    routines: routines.rows,
  }
}

function commentText(comment: string | null): string {
  return comment === null ? '' : `-- ${comment.replaceAll('\n', '\n-- ')}\n`
}

function columnText(column: ColumnRow): string {
  const rest = [column.type, column.not_null ? 'not null' : '', column.default ?? ''].filter((part) => part !== '')
  return `  ${column.name} ${rest.join(' ')}`
}

function tableText(table: TableRow, catalog: Catalog): string {
  const of = <Row extends { table_name: string }>(rows: Row[]) => rows.filter((row) => row.table_name === table.name)
  const lines = [
    ...of(catalog.columns).map(columnText),
    ...of(catalog.constraints).map((constraint) => `  constraint ${constraint.name} ${constraint.definition}`),
  ]
  const options = table.options === null ? '' : ` with (${table.options})`
  const head =
    table.definition === null
      ? `${commentText(table.comment)}create table ${table.name} (\n${lines.join(',\n')}\n)${options};\n`
      : `${commentText(table.comment)}create ${table.kind} ${table.name} as\n${table.definition}\n`
  const columnComments = of(catalog.columns)
    .filter((column) => column.comment !== null)
    .map((column) => `-- ${table.name}.${column.name}: ${column.comment}\n`)
  const indexes = of(catalog.indexes).map((index) => `${index.definition};\n`)
  const grants = of(catalog.grants).map((grant) => `grant ${grant.privileges} on ${table.name} to ${grant.grantee};\n`)
  return [head, ...columnComments, ...indexes, ...grants].join('')
}

/** The schema as text. */
export async function dumpSchema(ownerUrl: string, schema: string): Promise<string> {
  assertPlainName('schema', schema)
  const catalog = await withOwner(ownerUrl, schema, (client) => readCatalog(client, schema))
  const sections = [
    ...catalog.tables.map((table) => tableText(table, catalog)),
    ...catalog.routines.map((routine) => `${routine.definition}\n`),
  ]
  return `-- Schema ${schema}, read from its catalogs after all migrations. Generated; do not edit.\n\n${sections.join('\n')}`
}
