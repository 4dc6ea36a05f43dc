import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkMapping, readMapping } from './mapping.ts'

const valid = {
  namespace: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  user: { key: [{ column: 'user' }] },
  restaurant: { key: [{ column: 'place' }], name: { column: 'place' } },
  dish: { key: [{ column: 'dish' }], name: { column: 'dish' }, type: { constant: 'soup' } },
  rating: { value: { column: 'stars' } },
  time: { value: { column: 'when' }, format: 'iso' },
}

test('a mapping of the least that is needed is valid, and its namespace is lower case', () => {
  expect(checkMapping({ ...valid, namespace: valid.namespace.toUpperCase() })).toEqual(valid)
})

test.each<[string, object, RegExp]>([
  ['no namespace', { namespace: undefined }, /\(top\): lacks "namespace"/],
  ['a namespace that is none', { namespace: 'burritos' }, /\/namespace: must be a UUID/],
  ['an unknown property', { colour: 'red' }, /\(top\): has no property "colour"/],
  ['neither rating nor rank', { rating: undefined }, /\(top\): must have a rating or a rank/],
  ['no time', { time: undefined }, /lacks "time"/],
  ['an empty key', { user: { key: [] } }, /\/user\/key: must NOT have fewer than 1 items/],
  ['a value from two places', { notes: { column: 'a', constant: 'b' } }, /\/notes: must say in exactly one way where/],
  ['a value from nowhere', { notes: {} }, /\/notes: must say in exactly one way where/],
  ['an occurrence of no column', { notes: { constant: 'a', occurrence: 2 } }, /\/notes: .*column/],
  ['a column number of 0', { notes: { columnNumber: 0 } }, /\/notes\/columnNumber: must be >= 1/],
  ['half a coordinate', { restaurant: { ...valid.restaurant, latitude: { column: 'x' } } }, /longitude/],
  ['a join that is not there', { notes: { column: 'a', in: 'shops' } }, /\/notes: there is no join "shops"/],
  [
    'a join within a join',
    { joins: { shops: { file: 'x.csv', on: [{ column: 'a', in: 'shops' }], key: [{ column: 'a' }] } } },
    /\/joins\/shops\/on\/0: a join's own values have no "in"/,
  ],
  ['a scale the wrong way round', { rating: { value: { column: 'a' }, min: 5, max: 1 } }, /min must be less than max/],
  ['a scale that is not ours', { rating: { value: { column: 'a' }, min: 0, max: 10 } }, /needs "becomes"/],
  ['ratings that are not ours', { rating: { value: { column: 'a' }, becomes: { min: 0, max: 5 } } }, /must be >= 0.5/],
  ['an unknown zone', { time: { ...valid.time, zone: 'Mars/Phobos' } }, /there is no time zone "Mars\/Phobos"/],
  ['an unknown format of the file', { source: { format: 'xml' } }, /\/source\/format: must be one of csv, ndjson/],
])('%s is refused', (_what, change, message) => {
  const content: unknown = JSON.parse(JSON.stringify({ ...valid, ...change })) // without what is undefined
  expect(() => checkMapping(content)).toThrow(message)
})

test('all faults are reported together', () => {
  const faults = () => checkMapping({ ...valid, namespace: 'x', extra: 1, notes: {} })
  expect(faults).toThrow(/extra/)
  expect(faults).toThrow(/UUID/)
  expect(faults).toThrow(/\/notes/)
})

test('a file that is no mapping is named', () => {
  const directory = mkdtempSync(join(tmpdir(), 'import-mapping-'))
  const path = join(directory, 'mapping.json')
  writeFileSync(path, '{"namespace":')
  expect(() => readMapping(path)).toThrow(`mapping ${path}: `)
  writeFileSync(path, '\uFEFF{}')
  expect(() => readMapping(path)).toThrow(`mapping ${path} is not valid:\n  (top): `)
  rmSync(directory, { recursive: true })
  expect(() => readMapping(path)).toThrow(/ENOENT/)
})
