import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')

interface Diagnostic {
  category: string
  message: string
  location: { path: string }
}

let copy: string

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'boundaries-'))
  await cp(join(root, 'biome.json'), join(copy, 'biome.json'))
  await cp(join(root, 'lint'), join(copy, 'lint'), { recursive: true })
})

afterAll(() => rm(copy, { recursive: true, force: true }))

/** Lints one planted file under the project's own rules and says which diagnostics it got. */
async function lint(path: string, source: string): Promise<string[]> {
  const file = join(copy, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, source)
  const args = [biome, 'lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', path]
  const { stdout } = await run(process.execPath, args, { cwd: copy }).catch((error: { stdout: string }) => error)
  await rm(file)
  const report = JSON.parse(stdout) as { diagnostics: Diagnostic[] }
  return report.diagnostics.map((diagnostic) => `${diagnostic.category}: ${diagnostic.message}`)
}

const using = (name: string, from: string) => `import { ${name} } from '${from}'\nexport const planted = ${name}\n`

describe('a planted violation of a boundary is caught', () => {
  test.each([
    ['kafkajs outside packages/stream', 'services/history/src/planted.ts', using('Kafka', 'kafkajs')],
    ['kafkajs in another package', 'packages/event-store/src/planted.ts', using('Kafka', 'kafkajs')],
    ['pg outside packages/postgres', 'packages/stream/src/planted.ts', using('Pool', 'pg')],
    [
      'the registry client outside schemas',
      'services/history/src/planted.ts',
      using('SchemaRegistry', '@kafkajs/confluent-schema-registry'),
    ],
    ['a service in another service', 'services/history/src/planted.ts', using('routes', '@bellyfed/ranking-api')],
    ['a service in a package', 'packages/http/src/planted.ts', using('routes', '@bellyfed/history')],
    [
      'a folder of another service by path',
      'services/history/src/planted.ts',
      using('decide', '../../ranking-api/src/domain/decide.ts'),
    ],
    ['a tool in a service', 'services/history/src/planted.ts', using('testPlatform', '@bellyfed/testkit')],
    ['a tool in a package', 'packages/stream/src/planted.ts', using('startKafka', '@bellyfed/local')],
  ])('%s', async (_title, path, source) => {
    expect((await lint(path, source)).filter((row) => row.startsWith('lint/style/noRestrictedImports'))).not.toEqual([])
  })

  test.each([
    ['the clock', 'export const planted = () => Date.now()\n'],
    ['the environment', 'export const planted = process.pid\n'],
    ['randomness of the crypto module', 'export const planted = () => crypto.randomUUID()\n'],
    ['a timer', 'export const planted = () => setTimeout(() => 1, 1)\n'],
    ['the network', "export const planted = () => fetch('http://127.0.0.1')\n"],
  ])('domain code that uses %s', async (_title, source) => {
    expect((await lint('services/history/src/domain/planted.ts', source)).join('\n')).toContain('noRestrictedGlobals')
  })

  test.each([
    ['randomness', 'export const planted = () => Math.random()\n', 'no randomness'],
    ['a Node module', using('readFileSync', 'node:fs'), 'nothing that does IO'],
    ['a mechanism package', using('createPool', '@bellyfed/postgres'), 'nothing that does IO'],
    ['code outside its own folder', using('pool', '../consumer.ts'), 'nothing that does IO'],
  ])('domain code that uses %s', async (_title, source, message) => {
    expect((await lint('services/history/src/domain/planted.ts', source)).join('\n')).toContain(message)
  })
})

describe('what the boundaries allow stays quiet', () => {
  test.each([
    ['kafkajs in packages/stream', 'packages/stream/src/planted.ts', using('Kafka', 'kafkajs')],
    ['pg in packages/postgres', 'packages/postgres/src/planted.ts', using('Pool', 'pg')],
    [
      'the testkit in a test of a service',
      'services/history/src/planted.test.ts',
      using('testPlatform', '@bellyfed/testkit'),
    ],
    [
      'a pure neighbour and Math in domain code',
      'services/history/src/domain/planted.ts',
      `${using('lists', './lists.ts')}export const floor = Math.floor(1.5)\n`,
    ],
  ])('%s', async (_title, path, source) => {
    expect(await lint(path, source)).toEqual([])
  })
})
