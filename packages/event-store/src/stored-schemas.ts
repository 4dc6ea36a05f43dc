/**
 * The schemas that payloads were written with, kept beside them: the log is readable without the registry of its time.
 *
 * A stored id is normally the registry's. On another registry (a restore, a move) the ids differ: a schema that is
 * stored already keeps its stored id, and a new one takes the registry's id if that is free here, else the next free
 * one. Payloads carry stored ids; the relay rewrites them into the registry's of the day.
 */
import { isDeepStrictEqual } from 'node:util'
import { arrayOf, type Pool, type Queryable, statement } from '@bellyfed/postgres'

const insertSchema = statement(import.meta.url, '../sql/insert-schema.sql')
const selectAllSchemas = statement(import.meta.url, '../sql/select-all-schemas.sql')
const selectSchemas = statement(import.meta.url, '../sql/select-schemas.sql')

export interface RegisteredSchema {
  /** The registry's id. */
  readonly schemaId: number
  /** The schema as JSON text. */
  readonly definition: string
}

/** Definitions by stored id, of those ids that the store knows. */
export async function storedSchemas(q: Queryable, schemaIds: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await q.query<{ schema_id: number; definition: string }>(selectSchemas, [arrayOf.integer(schemaIds)])
  return new Map(rows.map((row) => [row.schema_id, row.definition]))
}

async function keepSchema(pool: Pool, { schemaId, definition }: RegisteredSchema): Promise<number> {
  for (;;) {
    const { rows } = await pool.query<{ schema_id: number; definition: string }>(selectAllSchemas)
    const parsed: unknown = JSON.parse(definition)
    const same = rows.find((row) => isDeepStrictEqual(JSON.parse(row.definition), parsed))
    if (same) return same.schema_id
    const isFree = rows.every((row) => row.schema_id !== schemaId)
    const chosen = isFree ? schemaId : Math.max(...rows.map((row) => row.schema_id)) + 1
    // Two services may start at once: whoever finds the id taken looks again.
    const { rowCount } = await pool.query(insertSchema, [chosen, definition])
    if (rowCount === 1) return chosen
  }
}

/**
 * Keeps schemas, to be called before the first event is appended with them. Returns, for each registry id, the id to
 * write into payloads and events. Idempotent, and safe beside itself.
 */
export async function keepSchemas(pool: Pool, schemas: readonly RegisteredSchema[]): Promise<Map<number, number>> {
  const storedIds = new Map<number, number>()
  for (const schema of schemas) storedIds.set(schema.schemaId, await keepSchema(pool, schema))
  return storedIds
}

/** Every schema that the store knows, by its stored id. */
export async function allStoredSchemas(q: Queryable): Promise<RegisteredSchema[]> {
  const { rows } = await q.query<{ schema_id: number; definition: string }>(selectAllSchemas)
  return rows.map((row) => ({ schemaId: row.schema_id, definition: row.definition }))
}
