import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { ConfigError, describeSettings, env, readConfig, type Spec } from './config.ts'
import {
  choice,
  durationMs,
  flag,
  integer,
  json,
  type Kind,
  list,
  optional,
  port,
  secret,
  text,
  url,
} from './setting-kinds.ts'

const spec = {
  postgres: {
    url: env('POSTGRES_URL', url({ schemes: ['postgres', 'postgresql'] }), 'Where the database is'),
    poolSizeMax: env('POOL_SIZE_MAX', integer({ min: 1, max: 100, default: 10 }), 'Connections at most'),
  },
  brokers: env('KAFKA_BROKERS', list({ pattern: /[a-z0-9.-]+:\d+/ }), 'Brokers to begin with'),
  level: env('LOG_LEVEL', choice(['info', 'debug'], { default: 'info' }), 'What is logged'),
  password: env('SASL_PASSWORD', optional(secret({ lengthMin: 8 })), 'Password of the broker'),
} satisfies Spec

const complete = { POSTGRES_URL: 'postgres://history:pw@localhost:5432/bellyfed', KAFKA_BROKERS: 'a:9092, b:9092' }

function faultsOf(environment: NodeJS.ProcessEnv, of: Spec = spec): string[] {
  try {
    readConfig(of, environment)
    return []
  } catch (fault) {
    if (!(fault instanceof ConfigError)) throw fault
    return fault.faults.map(({ message }) => message)
  }
}

test('settings are read in the shape and with the types of the spec', () => {
  const config = readConfig(spec, { ...complete, UNKNOWN_VARIABLE: 'is fine', POOL_SIZE_MAX: '' })
  expect(config).toEqual({
    postgres: { url: complete.POSTGRES_URL, poolSizeMax: 10 },
    brokers: ['a:9092', 'b:9092'],
    level: 'info',
    password: undefined,
  })
  expectTypeOf(config.postgres.poolSizeMax).toEqualTypeOf<number>()
  expectTypeOf(config.level).toEqualTypeOf<'info' | 'debug'>()
  expectTypeOf(config.password).toEqualTypeOf<string | undefined>()
})

test('all faults are reported together, with variable, value and rule', () => {
  const environment = { POOL_SIZE_MAX: '500', KAFKA_BROKERS: 'nowhere', LOG_LEVEL: 'loud', SASL_PASSWORD: 'short' }
  expect(faultsOf(environment)).toEqual([
    'POSTGRES_URL is missing: it must be a URL that begins with postgres:// or postgresql://',
    'POOL_SIZE_MAX is "500": it must be a whole number from 1 to 100',
    'KAFKA_BROKERS is "nowhere": it must be at least 1 value separated by commas, each matching [a-z0-9.-]+:\\d+',
    'LOG_LEVEL is "loud": it must be one of info, debug',
    'SASL_PASSWORD is (secret): it must be a secret of at least 8 characters',
  ])
})

test('no password of a URL is printed, whether the URL is one or not', () => {
  const faults = [
    ...faultsOf({ ...complete, POSTGRES_URL: 'mysql://history:hunter2@localhost/x' }),
    ...faultsOf({ ...complete, POSTGRES_URL: 'postgres://history:hunter2@[bad' }),
  ]
  expect(faults).toHaveLength(2)
  expect(faults.join()).not.toContain('hunter2')
})

describe('kinds', () => {
  const reads = <T>(kind: Kind<T>, raw: string): T | 'refused' => {
    const parsed = kind.parse(raw)
    return parsed.ok ? parsed.value : 'refused'
  }

  test.each([
    ['integer at its bounds', reads(integer({ min: 1, max: 5 }), '5'), 5],
    ['integer beyond', reads(integer({ min: 1, max: 5 }), '6'), 'refused'],
    ['integer with a fraction', reads(integer({ min: 1, max: 5 }), '1.5'), 'refused'],
    ['integer in another notation', reads(integer({ min: 0, max: 5_000 }), '1e3'), 'refused'],
    ['integer with blanks', reads(integer({ min: 1, max: 5 }), ' 5'), 'refused'],
    ['port 0', reads(port(), '0'), 0],
    ['port too high', reads(port(), '65536'), 'refused'],
    ['duration', reads(durationMs({ min: 0, max: 1_000 }), '250'), 250],
    ['flag', reads(flag(), 'false'), false],
    ['flag as number', reads(flag(), '1'), 'refused'],
    ['flag by a name of Object', reads(flag(), 'constructor'), 'refused'],
    ['text by a pattern, as a whole', reads(text({ pattern: /[a-z]+|x/ }), 'ab1'), 'refused'],
    ['list without values', reads(list(), ' , '), 'refused'],
  ])('%s', (_case, got, expected) => {
    expect(got).toBe(expected)
  })

  test('a document is read inline or from a file, and neither its content nor a parser quoting it is printed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'config-'))
    try {
      const file = join(directory, 'keys.json')
      writeFileSync(file, '{"n":1}')
      const kind = json({ rule: 'a number in n', read: readN })
      const documentSpec = { n: env('N', kind, 'A number') }
      expect(readConfig(documentSpec, { N: `file:${file}` })).toEqual({ n: 1 })
      expect(readConfig(documentSpec, { N: '{"n":2}' })).toEqual({ n: 2 })
      expect(faultsOf({ N: `file:${file}.gone` }, documentSpec)[0]).toContain('the file cannot be read: ENOENT')
      expect(faultsOf({ N: '{"n":"hunter2"' }, documentSpec)).toEqual([
        'N is (value not shown): it must be a number in n, as JSON or as file:<path> (it is not JSON)',
      ])
      expect(faultsOf({ N: '{"n":"hunter2"}' }, documentSpec)[0]).toContain('(n is not a number)')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  function readN(value: unknown): number {
    const { n } = value as { n: unknown }
    if (typeof n !== 'number') throw new Error('n is not a number')
    return n
  }
})

test('the documentation has one row per variable, with its rule and default', () => {
  expect(describeSettings({ a: spec, again: spec })).toBe(
    [
      '| Variable | Meaning | Value | Default |',
      '| --- | --- | --- | --- |',
      '| `POSTGRES_URL` | Where the database is | a URL that begins with postgres:// or postgresql:// | required |',
      '| `POOL_SIZE_MAX` | Connections at most | a whole number from 1 to 100 | `10` |',
      '| `KAFKA_BROKERS` | Brokers to begin with | at least 1 value separated by commas, each matching [a-z0-9.-]+:\\d+ | required |',
      '| `LOG_LEVEL` | What is logged | one of info, debug | `info` |',
      '| `SASL_PASSWORD` | Password of the broker | a secret of at least 8 characters (secret) | empty |',
    ].join('\n'),
  )
})
