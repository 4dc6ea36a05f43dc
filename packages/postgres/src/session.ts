/**
 * One dedicated connection: for what belongs to a session rather than to a transaction, that is advisory locks, LISTEN
 * and temporary state. It ends when `close` is called or when the server or the network ends it; `onEnd` tells which.
 * A session is never reopened behind its owner's back: its locks are gone with it, and the owner must know.
 */
import type { Socket } from 'node:net'
import pg from 'pg'
import type { BinaryRows } from './binary-rows.ts'
import {
  clientOptions,
  type PostgresConfig,
  type Queryable,
  type QueryResult,
  quoteIdentifier,
  runBinary,
  runStatement,
  runText,
} from './connection.ts'
import { inlineStatement, type Statement } from './statement.ts'
import { runTransaction, type Transaction, type TransactionOptions } from './transaction.ts'

export interface Session extends Queryable {
  /** Calls back for every notification on the channel, until the session ends. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<void>
  notify(channel: string): Promise<void>
  /** Called once, when the session is over: without an error after `close`, with one otherwise. */
  onEnd(callback: (error?: Error) => void): void
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, options?: TransactionOptions): Promise<Result>
  /** The server's process id of this session, as `pg_stat_activity` and `pg_terminate_backend` know it. */
  readonly processId: number
  /** Waits a few seconds at most for statements in flight. */
  close(): Promise<void>
}

// A server or a network that vanished would keep a stop waiting for as long as TCP does: many minutes.
const farewellMsMax = 3_000

const notifyStatement = inlineStatement('notify', `select pg_notify($1, '')`)

class DedicatedSession implements Session {
  readonly #client: pg.Client
  readonly #listeners = new Map<string, (payload: string) => void>()
  readonly #endCallbacks: ((error?: Error) => void)[] = []
  #closing: Promise<void> | undefined
  #error: Error | undefined
  #ended = false

  constructor(client: pg.Client) {
    this.#client = client
    client.on('error', (error) => {
      this.#error ??= error
    })
    client.on('end', () => this.#end())
    client.on('notification', ({ channel, payload }) => this.#listeners.get(channel)?.(payload ?? ''))
  }

  get processId(): number {
    return (this.#client as pg.Client & { processID: number }).processID
  }

  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return runStatement<Row>(this.#client, statement, values)
  }

  queryBinary(statement: Statement, values?: readonly (number | bigint | string | null)[]): Promise<BinaryRows> {
    return runBinary(this.#client, statement, values)
  }

  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    const outcome = await runTransaction(this.#client, work, options)
    if (outcome.failed) throw outcome.error
    return outcome.result as Result
  }

  async listen(channel: string, onNotify: (payload: string) => void): Promise<void> {
    this.#listeners.set(channel, onNotify)
    await runText(this.#client, `listen ${quoteIdentifier(channel)}`)
  }

  async notify(channel: string): Promise<void> {
    await this.query(notifyStatement, [channel])
  }

  onEnd(callback: (error?: Error) => void): void {
    if (this.#ended) queueMicrotask(() => callback(this.#error))
    else this.#endCallbacks.push(callback)
  }

  close(): Promise<void> {
    this.#closing ??= this.#ended ? Promise.resolve() : this.#farewell()
    return this.#closing
  }

  /** Lets statements in flight be answered and says goodbye; a server that answers neither is left without. */
  async #farewell(): Promise<void> {
    const { stream } = (this.#client as pg.Client & { connection: { stream: Socket } }).connection
    const timer = setTimeout(() => stream.destroy(), farewellMsMax)
    await this.#client.end()
    clearTimeout(timer)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#closing === undefined) this.#error ??= new Error('Connection terminated unexpectedly')
    else this.#error = undefined
    for (const callback of this.#endCallbacks) callback(this.#error)
  }
}

/** Opens a session. Rejects when the server does not answer within the connect timeout. */
export async function openSession(config: PostgresConfig): Promise<Session> {
  const client = new pg.Client(clientOptions(config))
  const session = new DedicatedSession(client)
  await client.connect()
  return session
}
