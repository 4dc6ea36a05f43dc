import { expect, test } from 'vitest'
import { createTextKey, sealText, UnreadableText, unsealText } from './sealed-text.ts'

const key = createTextKey()
const ann = '018f0000-0000-7000-8000-000000000001'
const ben = '018f0000-0000-7000-8000-000000000002'

test.each(['', 'rich broth', 'スープ 🍜', 'x'.repeat(2_000)])('what was sealed can be read again: %j', (text) => {
  expect(unsealText(sealText(text, key, ann), key, ann)).toBe(text)
})

test('the same text is sealed differently each time', () => {
  expect(sealText('rich', key, ann)).not.toEqual(sealText('rich', key, ann))
})

test('another key, another user, a changed byte, a cut and another version are refused', () => {
  const sealed = sealText('rich broth', key, ann)
  const changed = Buffer.from(sealed)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  const ofOtherVersion = Buffer.concat([Buffer.from([2]), sealed.subarray(1)])
  expect(() => unsealText(sealed, createTextKey(), ann)).toThrow(UnreadableText)
  expect(() => unsealText(sealed, key, ben)).toThrow(UnreadableText)
  expect(() => unsealText(changed, key, ann)).toThrow(UnreadableText)
  expect(() => unsealText(sealed.subarray(0, 28), key, ann)).toThrow('too short')
  expect(() => unsealText(ofOtherVersion, key, ann)).toThrow('unknown version 2')
})
