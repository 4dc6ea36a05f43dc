/**
 * Writing an entity of the catalogue: a PUT that is safe to repeat.
 *
 * One guarded upsert does the work. It touches no row when a condition does not hold (`If-Match`, `If-None-Match: *`) or
 * when nothing differs; only then is the row read to say which it was. So the version rises exactly when something
 * changed, a repeat changes nothing, and of two writers with the same `If-Match` one is refused.
 */
import { constraintOf, type Pool, type Queryable, type Statement, sqlStateOf } from '@bellyfed/postgres'

/** What a client requires of the stored entity. */
export interface WriteConditions {
  /** `If-Match` was given: it must exist. */
  readonly isRequired: boolean
  /** Versions it may have; undefined: any. */
  readonly versions: readonly number[] | undefined
  /** `If-None-Match: *`. */
  readonly createOnly: boolean
}

export interface Stored<View> {
  readonly view: View
  readonly version: number
}

export type WriteOutcome<View> =
  | ({ readonly status: 'created' | 'updated' | 'unchanged' } & Stored<View>)
  | { readonly status: 'condition-failed'; readonly current: Stored<View> | undefined }
  | { readonly status: 'refused'; readonly constraint: string }

interface VersionedRow {
  readonly version: bigint
}

/** One kind of entity: its statements and how its rows read in the public contract. */
export interface EntityKind<Row extends VersionedRow, View> {
  readonly put: Statement
  readonly get: Statement
  view(row: Row): View
}

/** Class 23 of SQLSTATE: the database refused the values themselves. */
const isIntegrityViolation = (state: string | undefined) => state?.startsWith('23') === true

/**
 * @param ids the parts of the key; the first is $1 of the statement, a second one is $6
 * @param fields the body in column names
 */
export async function putEntity<Row extends VersionedRow, View>(
  pool: Pool,
  kind: EntityKind<Row, View>,
  { ids, fields, conditions }: { ids: readonly string[]; fields: object; conditions: WriteConditions },
): Promise<WriteOutcome<View>> {
  const { isRequired, versions, createOnly } = conditions
  const accepted = versions === undefined ? null : `{${versions.join(',')}}`
  const values = [ids[0], JSON.stringify(fields), isRequired, createOnly, accepted, ...ids.slice(1)]
  let written: (Row & { readonly is_created: boolean }) | undefined
  try {
    written = (await pool.query<Row & { readonly is_created: boolean }>(kind.put, values)).rows[0]
  } catch (error) {
    const constraint = constraintOf(error)
    if (isIntegrityViolation(sqlStateOf(error)) && constraint !== undefined) return { status: 'refused', constraint }
    throw error
  }
  if (written !== undefined) {
    return { status: written.is_created ? 'created' : 'updated', ...stored(kind, written) }
  }
  const current = await getEntity(pool, kind, ids)
  const holds = current !== undefined && !createOnly && (versions?.includes(current.version) ?? true)
  return holds ? { status: 'unchanged', ...current } : { status: 'condition-failed', current }
}

export async function getEntity<Row extends VersionedRow, View>(
  queryable: Queryable,
  kind: EntityKind<Row, View>,
  ids: readonly string[],
): Promise<Stored<View> | undefined> {
  const row = (await queryable.query<Row>(kind.get, ids)).rows[0]
  return row === undefined ? undefined : stored(kind, row)
}

function stored<Row extends VersionedRow, View>(kind: EntityKind<Row, View>, row: Row): Stored<View> {
  return { view: kind.view(row), version: Number(row.version) }
}
