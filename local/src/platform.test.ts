import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from '@bellyfed/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { statusOf } from './commands/status.ts'
import { type Layout, layoutOf } from './layout.ts'
import { openLogBook } from './log-book.ts'
import { createPlatform, type Platform } from './platform.ts'
import { identityOf, isAlive } from './process-identity.ts'
import type { PlatformDefinition } from './services.ts'
import { readState } from './state-file.ts'

/** Given parts that answer as the real ones do when asked whether they work, and services of a few lines. */
let directory: string
let layout: Layout
let servers: Server[]
let environment: NodeJS.ProcessEnv
let platform: Platform | undefined

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'platform-'))
  layout = { ...layoutOf({ BELLYFED_LOCAL_DIR: join(directory, '.local') }), project: directory }
  const postgres = await serve(createServer((socket) => socket.on('data', () => socket.end('N'))))
  const metadata = Buffer.alloc(12)
  metadata.writeInt32BE(1, 8)
  const kafka = await serve(createServer((socket) => socket.on('data', () => socket.end(metadata))))
  const registry = await serve(createHttpServer((_request, response) => response.end('[]')))
  servers = [postgres, kafka, registry].map(({ server }) => server)
  environment = {
    POSTGRES_URL: `postgres://owner:secret@127.0.0.1:${postgres.port}/bellyfed`,
    KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${registry.port}`,
    LOG_LEVEL: 'debug',
  }
})

afterEach(async () => {
  await platform?.stop()
  for (const server of servers) server.close()
  rmSync(directory, { recursive: true })
})

async function serve<S extends Server>(server: S): Promise<{ server: S; port: number }> {
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { server, port }
}

const service = `
  import { createServer } from 'node:http'
  import { writeFileSync } from 'node:fs'
  writeFileSync(process.argv[1] + '.env', JSON.stringify(process.env))
  console.log('up as ' + process.pid)
  for (const port of [process.env.OPERATIONS_PORT, process.env.HTTP_PORT]) {
    if (port) createServer((_request, response) => response.end('ok')).listen(Number(port), '127.0.0.1')
  }
`

async function build(files: Readonly<Record<string, string>>): Promise<PlatformDefinition> {
  mkdirSync(join(directory, 'src'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, 'src', name), content)
  const names = Object.keys(files)
  const servicesOf = names.filter((name) => name.startsWith('service'))
  const services = await Promise.all(
    servicesOf.map(async (name, index) => ({
      name: name.replace('.ts', ''),
      entry: `src/${name}`,
      schema: 'ranking_api',
      operationsPort: await freePort(),
      ...(index === 0 ? { httpPort: await freePort(), isApi: true, urlVariable: 'FIRST_URL' } : {}),
    })),
  )
  const deploySteps = names
    .filter((name) => name.startsWith('deploy'))
    .map((name) => ({ name, entry: `src/${name}`, needs: 'postgres' as const, schema: 'ranking_api' }))
  return { services, deploySteps, importEntry: 'none', bundledRatings: [], example: { city: '', dishType: '' } }
}

async function start(definition: PlatformDefinition): Promise<Platform> {
  const logBook = openLogBook(layout.logs)
  platform = createPlatform({ layout, definition, environment, logBook, tell: () => undefined })
  await platform.start()
  platform.setPhase('ready')
  return platform
}

const status = () => statusOf(readState(layout.state), process.pid)
const pidOf = async (name: string) => (await status()).parts.find((part) => part.name === name)?.pid ?? undefined

// One process may run one platform: stopping it lets no more children start. So the whole life is one test.
const lifeTimeoutMs = 60_000
test('a platform is deployed, runs, revives what was killed, and stops without a process left', {
  timeout: lifeTimeoutMs,
}, async () => {
  const deploy = `import { writeFileSync } from 'node:fs'
    writeFileSync(process.argv[1] + '.env', JSON.stringify(process.env))`
  const definition = await build({ 'deploy-a.ts': deploy, 'service-a.ts': service, 'service-b.ts': service })
  const running = await start(definition)

  const report = await status()
  expect(report.ready).toBe(true)
  expect(report.api).toBe(running.apiUrl)
  expect(report.parts.map(({ name, kind, state }) => `${name} ${kind} ${state}`)).toEqual([
    'supervisor supervisor ready',
    ...['postgres', 'kafka', 'registry'].map((name) => `${name} given ready`),
    ...['service-a', 'service-b'].map((name) => `${name} service ready`),
  ])

  const read = (name: string) =>
    JSON.parse(readFileSync(join(directory, 'src', `${name}.env`), 'utf8')) as NodeJS.ProcessEnv
  expect(read('deploy-a.ts').DEPLOY_POSTGRES_URL).toBe(environment.POSTGRES_URL)
  const seen = read('service-b.ts')
  expect(seen).toMatchObject({
    KAFKA_BROKERS: environment.KAFKA_BROKERS,
    LOG_LEVEL: 'debug',
    FIRST_URL: running.apiUrl,
  })
  expect(seen.POSTGRES_URL).toMatch(/^postgres:\/\/ranking_api:[0-9a-f]{48}@127\.0\.0\.1:\d+\/bellyfed$/)
  expect(seen.DEPLOY_POSTGRES_URL).toBeUndefined()

  const first = identityOf((await pidOf('service-b')) as number)
  process.kill(first?.pid as number, 'SIGKILL')
  const second = await eventually(
    async () => {
      const pid = await pidOf('service-b')
      return pid !== first?.pid && (await status()).ready ? pid : undefined
    },
    { what: 'the killed service runs again' },
  )
  const living = [second, (await pidOf('service-a')) as number].map((pid) => identityOf(pid))

  await running.stop()
  expect(living.map((identity) => identity !== undefined && isAlive(identity))).toEqual([false, false])
  expect((await status()).ready).toBe(false)
  expect(readFileSync(join(layout.logs, 'platform.log'), 'utf8')).toMatch(/service-b {10}up as \d+\n/)
})
