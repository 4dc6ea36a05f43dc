import { describe, expect, test } from 'vitest'
import { CommitOutcomeUnknown, isTransient, leavesCommitOpen, PoolTimeout, sqlStateOf } from './errors.ts'

/** An error as the server sends it and pg delivers it. */
function serverError(code: string): Error {
  return Object.assign(new Error(`server says ${code}`), { severity: 'ERROR', code })
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

describe('what may be tried again', () => {
  test.each(['40001', '40P01', '53300', '57P01', '57P02', '57P03', '08006', '55P03', '57014', '25P03'])(
    'SQLSTATE %s may',
    (code) => expect(isTransient(serverError(code))).toBe(true),
  )

  test.each(['23505', '22P02', '42P01', '42501', '25P02', 'P0001'])('SQLSTATE %s may not', (code) =>
    expect(isTransient(serverError(code))).toBe(false),
  )

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])('a socket that says %s may', (code) =>
    expect(isTransient(systemError(code))).toBe(true),
  )

  test('a refused connection to all addresses of a host may', () => {
    const refused = new AggregateError([systemError('ECONNREFUSED'), systemError('ECONNREFUSED')], '')
    expect(isTransient(refused)).toBe(true)
  })

  test.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'Query read timeout',
  ])('pg\'s "%s" may', (message) => expect(isTransient(new Error(message))).toBe(true))

  test('a transient cause makes the error that wraps it transient', () => {
    expect(isTransient(new Error('flush failed', { cause: serverError('40P01') }))).toBe(true)
  })

  test('a full pool may', () => expect(isTransient(new PoolTimeout('no connection'))).toBe(true))

  test('an unknown outcome may not, whatever its cause', () => {
    expect(isTransient(new CommitOutcomeUnknown(5n, { cause: systemError('ECONNRESET') }))).toBe(false)
  })

  test.each([new TypeError('x is undefined'), 'text', undefined])('%s is no error of the database', (error) =>
    expect(isTransient(error)).toBe(false),
  )
})

describe('a COMMIT that failed', () => {
  test('is decided when the server answered with an error of the transaction', () =>
    expect(leavesCommitOpen(serverError('23505'))).toBe(false))

  test('is open when the server ended the session', () => expect(leavesCommitOpen(serverError('57P01'))).toBe(true))

  test('is open when the connection was lost', () => expect(leavesCommitOpen(systemError('ECONNRESET'))).toBe(true))

  test('is decided when it was never written to a dead connection', () =>
    expect(leavesCommitOpen(new Error('Client has encountered a connection error and is not queryable'))).toBe(false))
})

test('SQLSTATE is taken from errors of the server only', () => {
  expect(sqlStateOf(serverError('23505'))).toBe('23505')
  expect(sqlStateOf(new Error('wrapped', { cause: serverError('23505') }))).toBe('23505')
  expect(sqlStateOf(systemError('EPIPE'))).toBeUndefined()
})
