import { createTcpProxy, eventually, type TcpProxy, type TestDatabase, testPlatform } from '@bellyfed/testkit'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { CommitOutcomeUnknown, constraintOf, isTransient, PoolTimeout, sqlStateOf } from './errors.ts'
import type { Pool } from './pool.ts'
import { inlineStatement } from './statement.ts'
import { settledTransactionStatus, transactionStatus } from './transaction-status.ts'

const platform = testPlatform()
let database: TestDatabase
let pool: Pool

const insert = inlineStatement('insert', 'insert into notes (id, body) values ($1, $2)')
const count = inlineStatement('count', 'select count(*)::integer as count from notes')
const clear = inlineStatement('clear', 'delete from notes')
const migrations = [
  { component: 'notes', id: '0001-create', sql: 'create table notes (id integer primary key, body text not null)' },
]

beforeAll(async () => {
  database = await platform.database([{ schema: 'notes', migrations }])
  pool = await database.pool('notes')
})

beforeEach(async () => {
  await pool.query(clear)
})

async function stored(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(count)
  return rows[0]?.count ?? -1
}

describe('a transaction', () => {
  test('commits what its statements wrote, also those that nobody awaited', async () => {
    const result = await pool.transaction(async (tx) => {
      void tx.query(insert, [1, 'one'])
      void tx.query(insert, [2, 'two'])
      return 'done'
    })
    expect([result, await stored()]).toEqual(['done', 2])
  })

  test('is undone when a statement that nobody awaited fails, and says which rule was broken', async () => {
    const failed = pool.transaction(async (tx) => {
      void tx.query(insert, [1, 'one'])
      void tx.query(insert, [1, 'again'])
      void tx.query(insert, [2, 'two'])
    })
    await expect(failed).rejects.toSatisfy((error) => constraintOf(error) === 'notes_pkey')
    expect(await stored()).toBe(0)
  })

  test('reports the first failure, not the "transaction is aborted" that follows from it', async () => {
    const failed = pool.transaction(async (tx) => {
      const first = tx.query(insert, [1, null])
      const second = tx.query(count)
      await second
      await first
    })
    await expect(failed).rejects.toSatisfy((error) => sqlStateOf(error) === '23502')
  })

  test('is undone when the work throws, and throws that error on', async () => {
    const failed = pool.transaction(async (tx) => {
      await tx.query(insert, [1, 'one'])
      throw new RangeError('changed my mind')
    })
    await expect(failed).rejects.toThrow(RangeError)
    expect(await stored()).toBe(0)
  })

  test('leaves its connection fit for the next one after a failure', async () => {
    const single = await database.pool('notes', { poolSizeMax: 1 })
    await expect(single.transaction((tx) => tx.query(insert, [1, null]))).rejects.toThrow()
    await single.transaction((tx) => tx.query(insert, [1, 'one']))
    expect(await stored()).toBe(1)
    expect(single.counts().open).toBe(1)
  })

  test('can use a statement that first failed to be prepared inside an aborted transaction', async () => {
    const single = await database.pool('notes', { poolSizeMax: 1 })
    const late = inlineStatement('late', 'select 42 as answer')
    await expect(
      single.transaction(async (tx) => {
        void tx.query(insert, [1, null])
        void tx.query(late)
        void tx.query(late)
      }),
    ).rejects.toThrow('null value')
    expect((await single.query(late)).rows).toEqual([{ answer: 42 }])
  })

  test('that must not write cannot', async () => {
    const failed = pool.transaction((tx) => tx.query(insert, [1, 'one']), { readOnly: true })
    await expect(failed).rejects.toSatisfy((error) => sqlStateOf(error) === '25006')
  })

  test('in repeatable read sees one state throughout', async () => {
    const counts = await pool.transaction(
      async (tx) => {
        const before = (await tx.query<{ count: number }>(count)).rows[0]?.count
        await pool.query(insert, [9, 'meanwhile'])
        return [before, (await tx.query<{ count: number }>(count)).rows[0]?.count]
      },
      { isolation: 'repeatable read' },
    )
    expect(counts).toEqual([0, 0])
  })

  test('refuses a parameter without a form before anything reaches the server', async () => {
    await expect(pool.query(insert, [1, ['a']])).rejects.toThrow('arrayOf')
    await expect(pool.query(insert, [1, () => 1])).rejects.toThrow('cannot be a parameter')
  })
})

describe('a COMMIT whose answer is lost', () => {
  let proxy: TcpProxy
  let proxied: Pool
  const isCommit = (bytes: Buffer) => bytes.includes('commit\0')

  beforeEach(async () => {
    const { hostname, port } = new URL(database.ownerUrl)
    proxy = await createTcpProxy({ host: hostname, port: Number(port) })
    proxied = await database.pool('notes', { url: proxy.through(database.urlOf('notes')) })
    onTestFinished(() => proxy.close())
  })

  async function interruptedCommit(deliver: boolean): Promise<CommitOutcomeUnknown> {
    const cut = proxy.cutWhen({ direction: 'to-server', matches: isCommit, deliver })
    const error = await proxied
      .transaction(async (tx) => {
        await tx.query(insert, [1, 'one'])
        await tx.xid()
      })
      .then(
        () => undefined,
        (failure: unknown) => failure,
      )
    await cut
    if (!(error instanceof CommitOutcomeUnknown)) throw new Error(`not CommitOutcomeUnknown: ${error}`)
    return error
  }

  test('is found committed when COMMIT had arrived', async () => {
    const { xid } = await interruptedCommit(true)
    expect(await settledTransactionStatus(pool, xid ?? 0n, { timeoutMs: 10_000 })).toBe('committed')
    expect(await stored()).toBe(1)
  })

  test('is found aborted when COMMIT had not arrived', async () => {
    const { xid } = await interruptedCommit(false)
    expect(await settledTransactionStatus(pool, xid ?? 0n, { timeoutMs: 10_000 })).toBe('aborted')
    expect(await stored()).toBe(0)
  })

  test('is not confused with a connection that was lost before COMMIT', async () => {
    const failed = proxied.transaction(async (tx) => {
      await tx.query(insert, [1, 'one'])
      proxy.cutAll()
      await tx.query(insert, [2, 'two'])
    })
    await expect(failed).rejects.toSatisfy((error) => isTransient(error))
    await eventually(async () => (await stored()) === 0, { what: 'the transaction is undone' })
  })

  test('leaves no broken connection in the pool', async () => {
    await interruptedCommit(true)
    expect((await proxied.query<{ count: number }>(count)).rows).toEqual([{ count: 1 }])
  })
})

describe('transactionStatus', () => {
  test('knows a running transaction', async () => {
    await pool.transaction(async (tx) => {
      expect(await transactionStatus(pool, await tx.xid())).toBe('in progress')
    })
  })
})

describe('every wait is bounded', () => {
  test('for a free connection of the pool', async () => {
    const single = await database.pool('notes', { poolSizeMax: 1, connectTimeoutMs: 100 })
    await single.transaction(async () => {
      await expect(single.query(count)).rejects.toThrow(PoolTimeout)
    })
  })

  test('for a statement', async () => {
    const hasty = await database.pool('notes', { statementTimeoutMs: 50 })
    const slow = hasty.query(inlineStatement('slow', 'select pg_sleep(30)'))
    await expect(slow).rejects.toSatisfy((error) => sqlStateOf(error) === '57014')
  })

  test('for a server that takes the connection and never answers', async () => {
    const { hostname, port } = new URL(database.ownerUrl)
    const proxy = await createTcpProxy({ host: hostname, port: Number(port) })
    onTestFinished(() => proxy.close())
    proxy.delay('to-client', 60_000)
    const url = proxy.through(database.urlOf('notes'))
    const patient = database.pool('notes', { url, connectTimeoutMs: 200 })
    await expect(patient).rejects.toThrow(PoolTimeout)
  })

  test('for a forgotten transaction, whose session the server ends', async () => {
    const forgetful = await database.pool('notes', { idleInTransactionTimeoutMs: 50 })
    const failed = forgetful.transaction(async (tx) => {
      await tx.query(insert, [1, 'one'])
      await eventually(async () => (await lockHolders()) === 0, { what: 'the server has ended the session' })
      await tx.query(insert, [2, 'two'])
    })
    await expect(failed).rejects.toSatisfy((error) => isTransient(error))
  })
})

const selectLockHolders = inlineStatement(
  'lock-holders',
  `select count(*)::integer as count from pg_locks where relation = 'notes'::regclass and mode = 'RowExclusiveLock'`,
)

async function lockHolders(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(selectLockHolders)
  return rows[0]?.count ?? -1
}
