/**
 * A transaction on one connection.
 *
 *   BEGIN ─▶ statements … ─▶ COMMIT ─▶ committed
 *                │              ├─▶ answered ROLLBACK, or an error: undone, the first failed statement's error is thrown
 *                │              └─▶ connection lost: `CommitOutcomeUnknown`, with the transaction's id if it is known
 *                └─ the work throws ─▶ ROLLBACK: undone, the error is thrown on
 *
 * Nothing waits for BEGIN: it travels with the first statement. Statements issued without awaiting travel together, and
 * if the work returns without having awaited them, COMMIT travels with them too; a failure among them undoes all.
 * What holds throughout: the work's result is returned only after the server has said COMMIT.
 */
import type pg from 'pg'
import type { BinaryRows } from './binary-rows.ts'
import type { Queryable, QueryResult } from './connection.ts'
import { runBinary, runStatement, runText } from './connection.ts'
import { CommitOutcomeUnknown, isTransient, leavesCommitOpen, sqlStateOf } from './errors.ts'
import { inlineStatement, type Statement } from './statement.ts'

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read'
  readonly readOnly?: boolean
}

export interface Transaction extends Queryable {
  /** This transaction's id, asked of the server once; assigns one if there was none. */
  xid(): Promise<bigint>
  /** Remembers the transaction's id from a statement that returned it, for `CommitOutcomeUnknown`. */
  noteXid(xid: bigint): void
}

const selectXid = inlineStatement('current-xid', 'select pg_current_xact_id() as xid')

// After the first failure the server answers these to everything else of the transaction: consequences, not causes.
const consequentialStates = new Set(['25P02', '26000'])

class OpenTransaction implements Transaction {
  readonly #client: pg.ClientBase
  #firstError: unknown
  #knownXid: bigint | undefined

  constructor(client: pg.ClientBase) {
    this.#client = client
  }

  get firstError(): unknown {
    return this.#firstError
  }

  get knownXid(): bigint | undefined {
    return this.#knownXid
  }

  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#watch(runStatement<Row>(this.#client, statement, values))
  }

  queryBinary(statement: Statement, values?: readonly (number | bigint | string | null)[]): Promise<BinaryRows> {
    return this.#watch(runBinary(this.#client, statement, values))
  }

  async xid(): Promise<bigint> {
    if (this.#knownXid === undefined) {
      const { rows } = await this.query<{ xid: bigint }>(selectXid)
      if (rows[0]) this.#knownXid = rows[0].xid
    }
    if (this.#knownXid === undefined) throw new Error('pg_current_xact_id() returned no row')
    return this.#knownXid
  }

  noteXid(xid: bigint): void {
    this.#knownXid = xid
  }

  /** Keeps the first failure; handled here, so a statement that nobody awaits cannot end the process. */
  #watch<Result>(answer: Promise<Result>): Promise<Result> {
    answer.catch((error: unknown) => {
      this.#firstError ??= error
    })
    return answer
  }
}

function beginText(options: TransactionOptions): string {
  return `begin isolation level ${options.isolation ?? 'read committed'}${options.readOnly ? ' read only' : ''}`
}

/** The cause rather than a consequence: the first failure of the transaction, when `error` only follows from it. */
function causeOf(error: unknown, firstError: unknown): unknown {
  const sqlState = sqlStateOf(error)
  return firstError !== undefined && sqlState !== undefined && consequentialStates.has(sqlState) ? firstError : error
}

/** Whether the connection may go back to its pool after the transaction. */
export interface TransactionOutcome<Result> {
  readonly result?: Result
  readonly error?: unknown
  readonly failed: boolean
  readonly connectionUsable: boolean
}

async function rollBack(client: pg.ClientBase): Promise<boolean> {
  try {
    await runText(client, 'rollback')
    return true
  } catch {
    return false
  }
}

/** Runs one transaction on a connection that nothing else uses meanwhile. Never throws: the outcome says everything. */
export async function runTransaction<Result>(
  client: pg.ClientBase,
  work: (tx: Transaction) => Promise<Result>,
  options: TransactionOptions,
): Promise<TransactionOutcome<Result>> {
  const tx = new OpenTransaction(client)
  const begun = runText(client, beginText(options))
  begun.catch(() => {})
  let result: Result
  try {
    result = await work(tx)
  } catch (error) {
    const connectionUsable = await rollBack(client)
    const beginError = await begun.then(
      () => undefined,
      (failure: unknown) => failure,
    )
    return { failed: true, error: beginError ?? causeOf(error, tx.firstError), connectionUsable }
  }
  return commit(client, tx, begun, result)
}

async function commit<Result>(
  client: pg.ClientBase,
  tx: OpenTransaction,
  begun: Promise<unknown>,
  result: Result,
): Promise<TransactionOutcome<Result>> {
  try {
    const answer = runText(client, 'commit')
    answer.catch(() => {})
    await begun
    const { command } = await answer
    if (command === 'COMMIT' && tx.firstError === undefined) return { failed: false, result, connectionUsable: true }
    const error = tx.firstError ?? new Error(`the server answered COMMIT with ${command}`)
    return { failed: true, error, connectionUsable: true }
  } catch (error) {
    if (leavesCommitOpen(error)) {
      return {
        failed: true,
        error: new CommitOutcomeUnknown(tx.knownXid, { cause: error }),
        connectionUsable: false,
      }
    }
    return { failed: true, error: causeOf(error, tx.firstError), connectionUsable: !isTransient(error) }
  }
}
