/**
 * One connection: options, parameters in, rows out. The only file, with `pool.ts` and `session.ts`, that touches `pg`.
 *
 * Connections run in pipeline mode: a statement is written to the socket when it is issued, without waiting for those
 * before it, so statements issued without awaiting share a round trip. The server still runs them one after the other,
 * in the order in which they were issued, and each has its own Sync: a failed statement outside a transaction does not
 * cancel those behind it; inside one, the rest answer 25P02 and COMMIT becomes ROLLBACK, which `transaction` checks.
 */
import pg from 'pg'
import { BinaryCopy, bindLiterals } from './binary-copy.ts'
import type { BinaryRows } from './binary-rows.ts'
import { UnsupportedParameter } from './errors.ts'
import type { Statement } from './statement.ts'

export interface PostgresConfig {
  /** `postgres://role:password@host:port/database` */
  readonly url: string
  /** The schema that unqualified names mean. */
  readonly schema: string
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string
  /** Connections at most; default 10. */
  readonly poolSizeMax?: number
  /** Longest run of one statement before the server cancels it; default 30,000. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a new connection, and for a free one of the pool; default 5,000. */
  readonly connectTimeoutMs?: number
  /** Longest pause inside a transaction before the server ends the session; default 30,000. */
  readonly idleInTransactionTimeoutMs?: number
  /** Further server settings of each connection, such as `{ enable_seqscan: 'off' }` for a pool of short statements. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What a statement answered. `rowCount` is 0 for statements that count nothing. */
export interface QueryResult<Row> {
  rows: Row[]
  rowCount: number
}

export interface Queryable {
  /** Runs a statement, prepared by name. int8 and xid8 arrive as bigint, timestamptz as Date, bytea as Buffer. */
  query<Row = unknown>(statement: Statement, values?: readonly unknown[]): Promise<QueryResult<Row>>
  /**
   * Reads in PostgreSQL's binary format, several times cheaper per row than `query`, for hot reads of many rows.
   * The statement is a plain select and is planned anew at each call; values may be numbers, strings and null.
   */
  queryBinary(statement: Statement, values?: readonly (number | bigint | string | null)[]): Promise<BinaryRows>
}

const oid = { int8: 20, date: 1082, int8Array: 1016, xid8: 5069, xid8Array: 271 } as const

function parseBigintArray(text: string): (bigint | null)[] {
  if (text === '{}') return []
  return text
    .slice(1, -1)
    .split(',')
    .map((element) => (element === 'NULL' ? null : BigInt(element)))
}

type TextParser = (text: string) => unknown

const textParsers = new Map<number, TextParser>([
  [oid.int8, BigInt],
  [oid.xid8, BigInt],
  [oid.int8Array, parseBigintArray],
  [oid.xid8Array, parseBigintArray],
  [oid.date, (text) => text], // a calendar day has no time zone; pg would read it in the process's own
])

const types: pg.CustomTypesConfig = {
  getTypeParser(id, format) {
    return textParsers.get(Number(id)) ?? pg.types.getTypeParser(id, format)
  },
}

/** A schema or role name as an SQL identifier. */
export function quoteIdentifier(name: string): string {
  return pg.escapeIdentifier(name)
}

/** A string as an SQL literal. */
export function quoteLiteral(text: string): string {
  return pg.escapeLiteral(text)
}

const schemaPattern = /^[a-z_][a-z0-9_]{0,62}$/

/** Refuses names that would need quoting: they travel in connection options, where quoting is easy to get wrong. */
export function assertPlainName(kind: string, name: string): void {
  if (!schemaPattern.test(name)) {
    throw new UnsupportedParameter(`${kind} ${JSON.stringify(name)}: only lower-case letters, digits and underscores`)
  }
}

function settingsText(settings: Readonly<Record<string, string>> = {}): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      assertPlainName('setting', name)
      assertPlainName(`value of ${name}`, value)
      return ` -c ${name}=${value}`
    })
    .join('')
}

// What a dead server (a machine that vanished without closing the socket) may cost beyond the statement's own timeout.
const answerGraceMs = 5_000

/** The options of one connection; `statementTimeoutMs: 0` means no limit (migrations). */
export function clientOptions(config: PostgresConfig): pg.ClientConfig {
  assertPlainName('schema', config.schema)
  const statementTimeoutMs = config.statementTimeoutMs ?? 30_000
  const url = new URL(config.url)
  // jit off: for statements over a few hundred rows compiling costs more than it saves, seen as 100 ms outliers.
  const options = `-c search_path=${config.schema} -c timezone=UTC -c jit=off${settingsText(config.settings)}`
  return {
    connectionString: url.href,
    application_name: config.applicationName,
    connectionTimeoutMillis: config.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: config.idleInTransactionTimeoutMs ?? 30_000,
    ...(statementTimeoutMs > 0 ? { query_timeout: statementTimeoutMs + answerGraceMs } : {}),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options,
    types,
    pipeline: true,
  } as pg.ClientConfig
}

/** A parameter in the form that goes on the wire. Objects are JSON; arrays are refused: say which with `arrayOf`. */
function encodeParameter(value: unknown): string | Buffer | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'undefined':
      return null
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      break
    default:
      throw new UnsupportedParameter(`a ${typeof value} cannot be a parameter`)
  }
  if (value === null) return null
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) throw new UnsupportedParameter('an array parameter needs arrayOf.<type>, or JSON.stringify')
  return JSON.stringify(value)
}

/** The command's tag and the result: COMMIT of a failed transaction answers with the tag ROLLBACK. */
export interface TaggedResult<Row> extends QueryResult<Row> {
  readonly command: string
}

/** Issues a statement on a connection. Throws (as a rejection) before anything is written if a value has no form. */
export async function runStatement<Row>(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<TaggedResult<Row>> {
  const result = await client.query({
    name: statement.name,
    text: statement.text,
    values: values.map(encodeParameter),
  })
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0, command: result.command }
}

/** Issues SQL text without preparing it: BEGIN and COMMIT, whole migration files. */
export async function runText(client: pg.ClientBase, text: string): Promise<TaggedResult<unknown>> {
  const result = await client.query(text)
  const last = Array.isArray(result) ? result.at(-1) : result
  return { rows: last?.rows ?? [], rowCount: last?.rowCount ?? 0, command: last?.command ?? '' }
}

/** Issues a select in binary format (COPY … TO STDOUT). */
export function runBinary(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly (number | bigint | string | null)[] = [],
): Promise<BinaryRows> {
  return new Promise((resolve, reject) => {
    const copy = new BinaryCopy(`copy (${bindLiterals(statement.text, values)}) to stdout (format binary)`, (error) => {
      if (error) {
        reject(error)
        return
      }
      try {
        resolve(copy.decode())
      } catch (malformed) {
        reject(malformed)
      }
    })
    client.query(copy)
  })
}
