/**
 * What can go wrong between us and PostgreSQL, sorted by what the caller may do about it.
 *
 * - A *transient* error says nothing about the statement: the connection went away, the server is starting or stopping,
 *   it picked our transaction as a deadlock's victim. The same work may be tried again in a new transaction.
 * - `CommitOutcomeUnknown` is neither success nor failure: COMMIT was on its way when the connection died. Only
 *   `transactionStatus` with the transaction's id can tell; trying again blindly would write twice.
 * - Everything else is the caller's own fault or a broken rule, with its SQLSTATE.
 */

/** COMMIT was sent and its answer never came. Ask `transactionStatus(pool, xid)` before anything is tried again. */
export class CommitOutcomeUnknown extends Error {
  /** The transaction's id, when a statement had returned it before (`tx.noteXid`, `tx.xid`); else undefined. */
  readonly xid: bigint | undefined

  constructor(xid: bigint | undefined, options?: ErrorOptions) {
    super(`the connection was lost before COMMIT was answered (transaction ${xid ?? 'of unknown id'})`, options)
    this.name = 'CommitOutcomeUnknown'
    this.xid = xid
  }
}

/** No connection of the pool became free, or none could be opened, within the time allowed. */
export class PoolTimeout extends Error {
  readonly code = 'pool-timeout'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PoolTimeout'
  }
}

/** A value cannot be sent as a parameter: a programming mistake, found before anything reaches the server. */
export class UnsupportedParameter extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnsupportedParameter'
  }
}

const sqlStatePattern = /^[0-9A-Z]{5}$/

/** The SQLSTATE of a server's error, looked for along the chain of causes; undefined for errors of other kinds. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, severity } = current as { code?: unknown; severity?: unknown }
    if (typeof severity === 'string' && typeof code === 'string' && sqlStatePattern.test(code)) return code
  }
  return undefined
}

/** The constraint that a statement broke, when the server named one. */
export function constraintOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { constraint } = current as { constraint?: unknown }
    if (typeof constraint === 'string') return constraint
  }
  return undefined
}

/** States in which the server ends the session: 57P01-57P05, and the whole class 08. */
function endsSession(sqlState: string): boolean {
  return sqlState.startsWith('57P') || sqlState.startsWith('08')
}

const transientStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '25P03', // idle_in_transaction_session_timeout: the server closed the session
  '25P04', // transaction_timeout
  '57014', // query_canceled: statement_timeout
])

const transientSystemCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENOENT', // a Unix socket of a server that is down
  'pool-timeout',
])

// pg reports a lost connection as a plain Error; these are all its wordings (pg 8.23, client.js and pg-pool).
const lostConnectionPattern =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|timeout exceeded|Query read timeout)/

const neverSentPattern = /^Client (has encountered a connection error|was closed)/

function isLostConnection(error: Error): boolean {
  const { code } = error as { code?: unknown }
  return (typeof code === 'string' && transientSystemCodes.has(code)) || lostConnectionPattern.test(error.message)
}

/**
 * Whether the same work may succeed when it is tried again as it is: connection loss, a server that starts or stops,
 * deadlock, serialization failure, too many connections, timeouts. Never true for `CommitOutcomeUnknown`.
 */
export function isTransient(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof CommitOutcomeUnknown) return false
    const sqlState = sqlStateOf(current)
    if (sqlState !== undefined) return endsSession(sqlState) || transientStates.has(sqlState)
    if (isLostConnection(current)) return true
    if (current instanceof AggregateError && current.errors.length > 0) return current.errors.every(isTransient)
  }
  return false
}

/**
 * Whether a failed COMMIT leaves its outcome open: it may have reached the server, and the server did not say that the
 * transaction was undone. A COMMIT that pg refused to write on a dead connection is not open: it never left.
 */
export function leavesCommitOpen(error: unknown): boolean {
  if (error instanceof Error && neverSentPattern.test(error.message)) return false
  const sqlState = sqlStateOf(error)
  return sqlState === undefined || endsSession(sqlState)
}
