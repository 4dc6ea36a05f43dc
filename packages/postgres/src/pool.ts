/**
 * A bounded set of connections to one schema. Each `query` and each `transaction` borrows one connection and gives it
 * back; a connection whose state is in doubt (a lost answer, a failed rollback) is thrown away instead.
 * Every wait is bounded: for a connection, for a statement's answer, for a forgotten transaction.
 */
import pg from 'pg'
import type { BinaryRows } from './binary-rows.ts'
import {
  clientOptions,
  type PostgresConfig,
  type Queryable,
  type QueryResult,
  runBinary,
  runStatement,
} from './connection.ts'
import { isTransient, PoolTimeout } from './errors.ts'
import { openSession, type Session } from './session.ts'
import { inlineStatement, type Statement } from './statement.ts'
import { runTransaction, type Transaction, type TransactionOptions } from './transaction.ts'

export interface Pool extends Queryable {
  /** For logs: what this part is. */
  readonly name: string
  readonly schema: string
  readonly config: PostgresConfig
  /** Opens the first connection, so that a wrong address or password is found at start. */
  start(): Promise<void>
  /** Refuses new work, waits for borrowed connections to come back and closes all. Twice is fine. */
  stop(): Promise<void>
  /** Readiness: one round trip. Throws when the database cannot be used. */
  check(): Promise<void>
  /**
   * Runs the work in one transaction (see `transaction.ts`). Throws the first failed statement's error, the work's own
   * error, or `CommitOutcomeUnknown`; the work is never run twice.
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, options?: TransactionOptions): Promise<Result>
  /** One dedicated connection outside the pool. */
  session(): Promise<Session>
  /** Connections open, idle, and callers that wait for one. */
  counts(): { open: number; idle: number; waiting: number }
}

const checkStatement = inlineStatement('check', 'select 1')

function poolOptions(config: PostgresConfig): pg.PoolConfig {
  return {
    ...clientOptions(config),
    max: config.poolSizeMax ?? 10,
    idleTimeoutMillis: 60_000,
    // A connection a day old has served its memory and its plans; a failover behind a name is noticed in bounded time.
    maxLifetimeSeconds: 3_600,
  }
}

class ConnectionPool implements Pool {
  readonly name: string
  readonly config: PostgresConfig
  readonly #pool: pg.Pool
  /** Calls that wait for a connection or hold one. */
  #calls = 0
  #drained = Promise.withResolvers<void>()
  #stopped: Promise<void> | undefined

  constructor(config: PostgresConfig) {
    this.config = config
    this.name = `postgres ${config.schema}`
    this.#pool = new pg.Pool(poolOptions(config))
    // An idle connection that ends is dropped by the pool; the next borrower gets a new one or a clear error.
    this.#pool.on('error', () => {})
  }

  get schema(): string {
    return this.config.schema
  }

  async start(): Promise<void> {
    await this.check()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end()
    return this.#stopped
  }

  async #end(): Promise<void> {
    // pg's pool, when it ends, forgets those that wait for a connection.
    if (this.#calls > 0) await this.#drained.promise
    await this.#pool.end()
  }

  async check(): Promise<void> {
    await this.query(checkStatement)
  }

  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#borrow((client) => runStatement<Row>(client, statement, values))
  }

  queryBinary(statement: Statement, values?: readonly (number | bigint | string | null)[]): Promise<BinaryRows> {
    return this.#borrow((client) => runBinary(client, statement, values))
  }

  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    const outcome = await this.#borrow(
      (client) => runTransaction(client, work, options),
      ({ connectionUsable }) => connectionUsable,
    )
    if (outcome.failed) throw outcome.error
    return outcome.result as Result
  }

  session(): Promise<Session> {
    return openSession(this.config)
  }

  counts(): { open: number; idle: number; waiting: number } {
    return { open: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount }
  }

  /** Lends a connection. It goes back to the pool unless the result, or a transient error, says that it is in doubt. */
  async #borrow<Result>(
    use: (client: pg.PoolClient) => Promise<Result>,
    isUsableAfter: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    if (this.#stopped) throw new Error(`the pool of schema ${this.schema} is stopped`)
    this.#calls++
    try {
      const client = await this.#acquire()
      const ignoreError = watchErrors(client)
      let isUsable = false
      try {
        const result = await use(client)
        isUsable = isUsableAfter(result)
        return result
      } catch (error) {
        isUsable = !isTransient(error)
        throw error
      } finally {
        ignoreError()
        client.release(!isUsable)
      }
    } finally {
      this.#calls--
      if (this.#stopped && this.#calls === 0) this.#drained.resolve()
    }
  }

  async #acquire(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (error) {
      if (error instanceof Error && /time(d )?out/i.test(error.message)) {
        const { open, waiting } = this.counts()
        const waitMs = this.config.connectTimeoutMs ?? 5_000
        throw new PoolTimeout(
          `no connection to PostgreSQL within ${waitMs} ms (${open} of ${this.config.poolSizeMax ?? 10} open, ${waiting} more waiting)`,
          { cause: error },
        )
      }
      throw error
    }
  }
}

/** A borrowed connection that dies rejects its statements; the event besides must not end the process. */
function watchErrors(client: pg.PoolClient): () => void {
  const ignore = () => {}
  client.on('error', ignore)
  return () => client.removeListener('error', ignore)
}

export function createPool(config: PostgresConfig): Pool {
  return new ConnectionPool(config)
}
