import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { runCommand } from './command.ts'
import type { ImportReport } from './report.ts'
import { RecordingApi, type RecordingApiOptions } from './testing/recording-api.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
const burritos = [example('burritos.csv'), '--mapping', example('burritos.mapping.json')]
vi.setConfig({ testTimeout: 60_000 })

const directory = mkdtempSync(join(tmpdir(), 'import-command-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function command(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    environment,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    signal: new AbortController().signal,
  })
  return { status, out: out.join(''), err: err.join('') }
}

async function withApi<T>(
  options: RecordingApiOptions,
  work: (baseUrl: string, api: RecordingApi) => Promise<T>,
): Promise<T> {
  const api = new RecordingApi(options)
  try {
    return await work(await api.start(), api)
  } finally {
    await api.stop()
  }
}

test('a finished import ends with 0 and a report with every rejected row and counts that add up', async () => {
  const { status, out } = await withApi({}, (baseUrl) => command([...burritos, '--base-url', baseUrl, '--token', 't']))
  expect(status).toBe(0)
  expect(out).toContain('line 136: blank-user: the user is blank')
  expect(out).toContain('line 174: neither-rating-nor-rank')
  expect(out).toContain('line 175: neither-rating-nor-rank')
  expect(out).toContain('423 rows read = 420 accepted + 0 unchanged + 0 repeated + 3 rejected\n')
  expect(out).toContain('1 rating finer than 0.01, rounded half up')
  expect(out).toContain('103 users (103 new), 98 restaurants (98 new), 116 dishes (116 new), 256 menu items (256 new)')
})

test('--json is the report as one line; the token may come from the environment; progress goes elsewhere', async () => {
  const { status, out, err } = await withApi({}, async (baseUrl, api) => {
    const result = await command([...burritos, '--base-url', `${baseUrl}/`, '--json'], {
      BELLYFED_TOKEN: 'from-environment',
    })
    expect(api.requests[0]?.authorization).toBe('Bearer from-environment')
    return result
  })
  expect(status).toBe(0)
  expect(out.trimEnd()).not.toContain('\n')
  expect(JSON.parse(out) as ImportReport).toMatchObject({ isFinished: true, rowsRead: 423, accepted: 420, rejected: 3 })
  expect(err).toMatch(/rankings: 100 % 420\/420/)
})

test('--rejects takes the rejected rows, one JSON object a line', async () => {
  const rejects = join(directory, 'rejects.ndjson')
  const { status, out } = await command([...burritos, '--dry-run', '--rejects', rejects])
  expect(status).toBe(0)
  expect(out).not.toContain('line 136')
  expect(out).toContain('2 neither-rating-nor-rank')
  expect(out).toContain('dry run: nothing was sent')
  const lines = readFileSync(rejects, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ line: 136 }, { line: 174 }, { line: 175 }])
})

test('an import that stops ends with 2 and says how to carry on', async () => {
  const faultOf = () => ({ status: 503 })
  const { status, out } = await withApi({ faultOf }, (baseUrl) =>
    command([...burritos, '--base-url', baseUrl, '--token', 't', '--patience', '1']),
  )
  expect(status).toBe(2)
  expect(out).toContain('423 rows read = 0 accepted + 0 unchanged + 0 repeated + 3 rejected + 420 not sent')
  expect(out).toMatch(/STOPPED: PUT \/v1\/users\/\S+ failed \d+ times in 1 s; last: 503/)
  expect(out).toContain('Run the same command again')
})

test.each<[string, readonly string[], RegExp]>([
  ['no file', ['--mapping', 'm.json', '--token', 't'], /the file is missing/],
  ['two files', ['a.csv', 'b.csv', '--mapping', 'm.json', '--token', 't'], /one file at a time/],
  ['no mapping', ['a.csv', '--token', 't'], /--mapping is missing/],
  ['no token', ['a.csv', '--mapping', 'm.json'], /BELLYFED_TOKEN is missing/],
  ['a concurrency of 0', [...burritos, '--token', 't', '--concurrency', '0'], /--concurrency 0 is not within 1 to 16/],
  ['a base URL of another kind', [...burritos, '--token', 't', '--base-url', 'ftp://x'], /no http or https URL/],
  ['an unknown option', [...burritos, '--colour'], /--colour/],
  [
    'a mapping that is not there',
    [burritos[0] ?? '', '--mapping', 'none.json', '--token', 't'],
    /mapping none.json: .*ENOENT/,
  ],
  ['a file that is not there', ['none.csv', ...burritos.slice(1), '--token', 't'], /none.csv: .*ENOENT/],
  ['rejects that cannot be written', [...burritos, '--dry-run', '--rejects', directory], /cannot be written/],
  [
    'a file that does not fit',
    [example('untappd_checkins.csv'), ...burritos.slice(1), '--dry-run'],
    /has no column `\w+`; it has: beer_name/,
  ],
])('%s ends with 1 before anything is sent', async (_what, args, message) => {
  const { status, out, err } = await command(args)
  expect(status).toBe(1)
  expect(err).toMatch(message)
  expect(out).toBe('')
})

test('--help says how', async () => {
  const { status, out } = await command(['--help'])
  expect(status).toBe(0)
  for (const option of [
    '--mapping',
    '--base-url',
    '--token',
    '--concurrency',
    '--patience',
    '--rejects',
    '--json',
    '--dry-run',
  ]) {
    expect(out).toContain(option)
  }
})
