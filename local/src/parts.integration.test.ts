import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPool, inlineStatement, type Pool } from '@bellyfed/postgres'
import { createKafka } from '@bellyfed/stream'
import { eventually, silentLogger } from '@bellyfed/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setpriv } from './child-process.ts'
import { type RunningKafka, startKafka } from './kafka.ts'
import { type RunningPostgres, startPostgres } from './postgres.ts'
import { answers } from './probe.ts'
import { childrenOf, identityOf, isAlive, type ProcessIdentity } from './process-identity.ts'
import { type RunningRegistry, startRegistry } from './registry.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'parts-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function withPool<T>(ownerUrl: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool({ url: ownerUrl, schema: 'public', applicationName: 'test' })
  try {
    return await work(pool)
  } finally {
    await pool.stop()
  }
}

describe('postgres', () => {
  let postgres: RunningPostgres
  beforeAll(async () => {
    postgres = await startPostgres({ directory: join(directory, 'postgres') })
    await withPool(postgres.ownerUrl, (pool) => pool.query(inlineStatement('create', 'create table kept (id int)')))
  })
  afterAll(() => postgres.stop())

  const insert = (id: number) =>
    withPool(postgres.ownerUrl, (pool) => pool.query(inlineStatement('insert', 'insert into kept values ($1)'), [id]))
  const ids = () =>
    withPool(postgres.ownerUrl, async (pool) => {
      const { rows } = await pool.query<{ id: number }>(inlineStatement('select', 'select id from kept order by id'))
      return rows.map(({ id }) => id)
    })

  test('a killed server comes back on its port with everything that was committed', async () => {
    await insert(1)
    await postgres.kill()
    expect(postgres.isRunning).toBe(false)
    await postgres.restart()
    expect(await ids()).toContain(1)
  })

  test('a killed server leaves no backend behind', async () => {
    const backends = childrenOf(postgres.pid).flatMap((pid) => identityOf(pid) ?? [])
    expect(backends.length).toBeGreaterThan(2)
    await postgres.kill()
    expect(backends.filter(isAlive)).toEqual([])
    await postgres.restart()
  })

  test('a frozen server does not answer until it goes on', async () => {
    const probe = { kind: 'postgres', host: '127.0.0.1', port: Number(postgres.endpoint.split(':')[1]) } as const
    expect(await answers(probe)).toBe(true)
    postgres.pause()
    expect(await answers(probe)).toBe(false)
    postgres.resume()
    await eventually(() => answers(probe), { what: 'the server answers again' })
  })

  test('a frozen server can be stopped', async () => {
    postgres.pause()
    await postgres.stop()
    expect(postgres.isRunning).toBe(false)
    await postgres.restart()
  })

  test('a server that an earlier run left on the same data is ended by the next start', async () => {
    await insert(2)
    const earlier = postgres.identity
    postgres = await startPostgres({ directory: join(directory, 'postgres') })
    expect(isAlive(earlier)).toBe(false)
    expect(await ids()).toContain(2)
  })

  test('a pid file that names a stranger neither hinders the start nor harms the stranger', async () => {
    await postgres.kill()
    const pidFile = join(directory, 'postgres', 'data', 'postmaster.pid')
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
    const identity = identityOf(stranger.pid as number) as ProcessIdentity
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid)))
    await postgres.restart()
    expect(isAlive(identity)).toBe(true)
    stranger.kill('SIGKILL')
  })
})

describe('kafka', () => {
  let kafka: RunningKafka
  beforeAll(async () => {
    kafka = await startKafka({ directory: join(directory, 'kafka') })
  })
  afterAll(() => kafka.stop())

  test('a killed broker comes back on its port with every record it had acknowledged', async () => {
    const log = createKafka({ brokers: kafka.brokers, clientId: 'test' }, silentLogger)
    const admin = log.admin()
    const producer = log.producer()
    await admin.createTopics([{ topic: 'kept', partitionCount: 1, replicationFactor: 1, configs: {} }])
    await producer.connect()
    const records = Array.from({ length: 500 }, (_, index) => ({
      key: `key ${index}`,
      value: Buffer.from('value'),
      headers: {},
      timestampMs: 0,
    }))
    await producer.send([{ topic: 'kept', records }])
    const clusterId = await admin.clusterId()
    await kafka.kill()
    await kafka.restart()
    const ranges = await eventually(() => admin.offsets('kept'), { what: 'the partition has a leader again' })
    expect(ranges.get(0)).toEqual({ start: 0n, end: 500n })
    expect(await admin.clusterId()).toBe(clusterId)
    await producer.disconnect()
    await admin.close()
  })

  test('a broker that is stopped ends in order and comes back', async () => {
    await kafka.stop()
    await kafka.stop()
    expect(await answers({ kind: 'kafka', host: '127.0.0.1', port: Number(kafka.endpoint.split(':')[1]) })).toBe(false)
    await kafka.restart()
    expect(kafka.isRunning).toBe(true)
  })
})

describe('registry', () => {
  let postgres: RunningPostgres
  let registry: RunningRegistry
  beforeAll(async () => {
    postgres = await startPostgres({ directory: join(directory, 'registry-postgres') })
    registry = await startRegistry({ directory: join(directory, 'registry'), postgresUrl: postgres.ownerUrl })
  })
  afterAll(async () => {
    await registry.stop()
    await postgres.stop()
  })

  test('a killed registry, and then its database, come back with the schemas under their ids', async () => {
    const register = async () => {
      const response = await fetch(`${registry.url}/subjects/kept-value/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: JSON.stringify({ type: 'record', name: 'Kept', fields: [] }) }),
      })
      return response.ok ? ((await response.json()) as { id: number }).id : undefined
    }
    const id = await register()
    await registry.kill()
    await registry.restart()
    expect(await register()).toBe(id)
    await postgres.kill()
    await postgres.restart()
    expect(await eventually(register, { what: 'the registry reaches its database again' })).toBe(id)
  })
})

describe.runIf(setpriv() !== undefined)('a parent that is killed', () => {
  test('takes its parts with it, and the next start finds all data', async () => {
    const first = await parent()
    first.child.kill('SIGKILL')
    await eventually(() => first.parts.every((identity) => !isAlive(identity)), { what: 'the parts are gone' })
    const second = await parent()
    expect(second.parts).not.toEqual(first.parts)
    second.child.kill('SIGKILL')
    await eventually(() => second.parts.every((identity) => !isAlive(identity)), { what: 'the parts are gone again' })
  })
})

/** A process that runs PostgreSQL and Kafka as its children. */
async function parent(): Promise<{ child: ChildProcess; parts: ProcessIdentity[] }> {
  const script = `
    import { startKafka, startPostgres } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    const parts = await Promise.all([
      startPostgres({ directory: ${JSON.stringify(join(directory, 'orphans', 'postgres'))} }),
      startKafka({ directory: ${JSON.stringify(join(directory, 'orphans', 'kafka'))} }),
    ])
    console.log(JSON.stringify(parts.map((part) => part.identity)))`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve) => child.stdout?.once('data', (data) => resolve(String(data))))
  return { child, parts: JSON.parse(line) as ProcessIdentity[] }
}
