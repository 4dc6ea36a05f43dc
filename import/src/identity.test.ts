import { expect, test } from 'vitest'
import { commandId, entityId, keyOf, normaliseKeyPart } from './identity.ts'

/** The namespace for names of the domain name system (RFC 9562); the ids below are from Python's uuid.uuid5. */
const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

test('an entity has the UUIDv5 of its kind and key', () => {
  expect(entityId(dns, 'user', 'www.example.com')).toBe('ca9d10ae-e7b1-587a-b4c7-b7adf42b0c80')
  expect(entityId(dns, 'restaurant', keyOf(['CAFE\u0301  Noir ', '51.5']) ?? '')).toBe(
    'bb4477ee-72a0-5329-b1b7-5419c9cbbaf3',
  )
})

test('a command has the UUIDv5 of its row id, or else of the file and the line', () => {
  const fileSha256 = 'ab'.repeat(32)
  expect(commandId(dns, { rowId: 'A-7', fileSha256, line: 12 })).toBe('41bfd5b6-20a7-52d9-9029-4c95713ddd98')
  expect(commandId(dns, { rowId: null, fileSha256, line: 12 })).toBe('5a5dadc2-7f4a-50c8-9801-9a53ec136dd2')
})

test.each([
  ['California ', 'california'],
  [' Surf  &\tTurf', 'surf & turf'],
  ['CAFE\u0301', 'caf\u00e9'],
  ['\u00a0Lolita\u2019s', 'lolita\u2019s'],
])('%j is normalised to %j', (written, normalised) => expect(normaliseKeyPart(written)).toBe(normalised))

test('a key is its parts joined, and none when all of them are blank', () => {
  expect(keyOf(['All Bar One', '51.5096', ''])).toBe('all bar one|51.5096|')
  expect(keyOf(['', ' '])).toBeUndefined()
})
