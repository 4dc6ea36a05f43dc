/**
 * A schema's tables and their foreign keys as a Mermaid `erDiagram`, from the catalogs, in a deterministic order.
 * Keys are marked PK, FK and UK; the line between two tables says how many rows may refer to one, and by which columns.
 */
import { assertPlainName, runStatement } from './connection.ts'
import { withOwner } from './migrate.ts'
import { statement } from './statement.ts'

const selectAttributes = statement(import.meta.url, '../sql/diagram-attributes.sql')
const selectRelations = statement(import.meta.url, '../sql/diagram-relations.sql')

interface AttributeRow {
  table_name: string
  name: string
  type: string
  keys: string
}

interface RelationRow {
  child: string
  parent: string
  columns: string
  is_optional: boolean
  is_one_to_one: boolean
}

/** Mermaid allows letters, digits, underscores, brackets and parentheses in a type. */
function mermaidType(type: string): string {
  return type.replace('timestamp with time zone', 'timestamptz').replaceAll(/[^A-Za-z0-9_()[\]]+/g, '_')
}

function relationText(relation: RelationRow): string {
  const parentEnd = relation.is_optional ? '|o' : '||'
  const childEnd = relation.is_one_to_one ? 'o|' : 'o{'
  return `  ${relation.parent} ${parentEnd}--${childEnd} ${relation.child} : "${relation.columns}"`
}

export async function entityDiagram(ownerUrl: string, schema: string): Promise<string> {
  assertPlainName('schema', schema)
  const [attributes, relations] = await withOwner(ownerUrl, schema, (client) =>
    Promise.all([
      runStatement<AttributeRow>(client, selectAttributes, [schema]),
      runStatement<RelationRow>(client, selectRelations, [schema]),
    ]),
  )
  const lines = ['erDiagram']
  for (const [table, rows] of Map.groupBy(attributes.rows, (row) => row.table_name)) {
    lines.push(`  ${table} {`)
    for (const row of rows) lines.push(`    ${mermaidType(row.type)} ${row.name} ${row.keys}`.trimEnd())
    lines.push('  }')
  }
  lines.push(...relations.rows.map(relationText))
  return `${lines.join('\n')}\n`
}
