import { createTcpProxy, eventually, type TestDatabase, testPlatform } from '@bellyfed/testkit'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Pool } from './pool.ts'
import { createPool } from './pool.ts'
import { inlineStatement } from './statement.ts'

const platform = testPlatform()
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await platform.database([{ schema: 'pools', migrations: [] }])
  pool = await database.pool('pools')
})

const terminate = inlineStatement('terminate', 'select pg_terminate_backend($1::integer)')

describe('a connection', () => {
  test('works in its schema, in UTC and under its name', async () => {
    const facts = inlineStatement(
      'facts',
      `select current_schema() as schema, current_setting('TimeZone') as zone, current_setting('application_name') as name`,
    )
    expect((await pool.query(facts)).rows).toEqual([{ schema: 'pools', zone: 'UTC', name: 'test pools' }])
  })

  test('delivers each type as documented', async () => {
    const values = inlineStatement(
      'values',
      `select 9007199254740993::bigint as large, '{1,NULL,3}'::bigint[] as larges, '12345678901234567890'::xid8 as xid,
        timestamptz '2026-03-01 12:00:00.123+02' as at, date '2026-03-01' as day, '{"a":[1]}'::jsonb as json,
        '\\x00ff5c'::bytea as bytes, 0.1::double precision as real, null::text as nothing`,
    )
    expect((await pool.query(values)).rows).toEqual([
      {
        large: 9007199254740993n,
        larges: [1n, null, 3n],
        xid: 12345678901234567890n,
        at: new Date('2026-03-01T10:00:00.123Z'),
        day: '2026-03-01',
        json: { a: [1] },
        bytes: Buffer.from([0, 255, 92]),
        real: 0.1,
        nothing: null,
      },
    ])
  })

  test('takes parameters of each kind', async () => {
    const echo = inlineStatement(
      'echo',
      'select $1::bigint as a, $2::bytea as b, $3::timestamptz as c, $4::jsonb as d, $5::text as e, $6::boolean as f',
    )
    const at = new Date('2026-03-01T10:00:00.123Z')
    const { rows } = await pool.query(echo, [5n, new Uint8Array([0, 1, 255]), at, { x: ['y'] }, undefined, true])
    expect(rows).toEqual([{ a: 5n, b: Buffer.from([0, 1, 255]), c: at, d: { x: ['y'] }, e: null, f: true }])
  })

  test('reads binary rows beside other statements of the same round trip', async () => {
    const binary = inlineStatement(
      'binary',
      `select '\\x00ff5c0a'::bytea, $1::bigint, null::text, 'one'::text, -7::integer, timestamptz '1999-12-31 23:59:59.9994+00'`,
    )
    const one = inlineStatement('one', 'select 1 as one')
    const answers = await pool.transaction((tx) => Promise.all([tx.queryBinary(binary, [-5n]), tx.query(one)]))
    const [rows, text] = answers
    expect(rows.length).toBe(1)
    expect([rows.bytes(0, 0), rows.bigint(0, 1), rows.isNull(0, 2)]).toEqual([Buffer.from([0, 255, 92, 10]), -5n, true])
    expect([rows.ascii(0, 3), rows.int32(0, 4)]).toEqual(['one', -7])
    expect(rows.timestampMs(0, 5)).toBe(Date.UTC(1999, 11, 31, 23, 59, 59, 999))
    expect(text.rows).toEqual([{ one: 1 }])
  })

  test('reports a binary read that fails, and goes on', async () => {
    const single = await database.pool('pools', { poolSizeMax: 1 })
    await expect(single.queryBinary(inlineStatement('wrong', 'select 1/0'))).rejects.toMatchObject({ code: '22012' })
    expect((await single.queryBinary(inlineStatement('right', 'select 7'))).int32(0, 0)).toBe(7)
  })

  test('that the server ends is replaced', async () => {
    const single = await database.pool('pools', { poolSizeMax: 1 })
    const owner = await database.ownerPool('pools')
    const self = inlineStatement('self', 'select pg_backend_pid() as pid')
    const before = (await single.query<{ pid: number }>(self)).rows[0]?.pid
    await owner.query(terminate, [before])
    await eventually(() => single.counts().open === 0, { what: 'the pool has noticed' })
    const after = (await single.query<{ pid: number }>(self)).rows[0]?.pid
    expect(after).not.toBe(before)
  })
})

describe('a pool', () => {
  test('cannot start with a wrong password', async () => {
    const url = new URL(database.urlOf('pools'))
    url.password = 'wrong'
    const wrong = createPool({ url: url.href, schema: 'pools', applicationName: 'wrong' })
    await expect(wrong.start()).rejects.toThrow('password authentication failed')
    await wrong.stop()
  })

  test('cannot see the schema of another service', async () => {
    const other = await platform.database([
      { schema: 'pools', migrations: [] },
      {
        schema: 'other',
        migrations: [{ component: 'other', id: '0001-create', sql: 'create table secrets (id integer)' }],
      },
    ])
    const stranger = await other.pool('pools')
    await expect(stranger.query(inlineStatement('spy', 'select * from other.secrets'))).rejects.toThrow(
      'permission denied for schema other',
    )
  })

  test('stops twice, after its work is done', async () => {
    const stopping = await database.pool('pools')
    const slow = stopping.query(inlineStatement('slow', 'select pg_sleep(0.1)::text as slept'))
    await Promise.all([stopping.stop(), stopping.stop()])
    expect((await slow).rows).toEqual([{ slept: '' }])
    await expect(stopping.check()).rejects.toThrow('is stopped')
  })
})

describe('a session', () => {
  test('closes in bounded time when the server answers no more', async () => {
    const { hostname, port } = new URL(database.ownerUrl)
    const proxy = await createTcpProxy({ host: hostname, port: Number(port) })
    onTestFinished(() => proxy.close())
    const silent = await database.pool('pools', { url: proxy.through(database.urlOf('pools')) })
    const session = await silent.session()
    proxy.delay('to-client', 3_600_000)
    const unanswered = session.query(inlineStatement('unanswered', 'select 1'))
    await Promise.all([session.close(), expect(unanswered).rejects.toThrow('Connection terminated')])
  })

  test('hears notifications', async () => {
    const [listener, sender] = await Promise.all([pool.session(), pool.session()])
    const heard = Promise.withResolvers<string>()
    await listener.listen('bell', heard.resolve)
    await sender.notify('bell')
    expect(await heard.promise).toBe('')
    await Promise.all([listener.close(), sender.close()])
  })

  test('tells its end: with an error when the server ended it, without one after close', async () => {
    const owner = await database.ownerPool('pools')
    const [killed, closed] = await Promise.all([pool.session(), pool.session()])
    const ends = [killed, closed].map(
      (session) => new Promise((resolve) => session.onEnd((error) => resolve(error?.message))),
    )
    await owner.query(terminate, [killed.processId])
    await closed.close()
    expect(await Promise.all(ends)).toEqual([expect.stringContaining('terminat'), undefined])
    await killed.close()
  })
})
