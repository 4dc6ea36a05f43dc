import { expect, test } from 'vitest'
import { inlineStatement, statement } from './statement.ts'

test('one name stands for one text, also where PostgreSQL would cut it', () => {
  const long = 'a'.repeat(80)
  const names = [inlineStatement(long, 'select 1').name, inlineStatement(long, 'select 2').name]
  expect(new Set(names).size).toBe(2)
  for (const name of names) expect(name.length).toBeLessThanOrEqual(63)
})

test('the same text under the same name is the same statement', () => {
  expect(inlineStatement('one', 'select 1')).toEqual(inlineStatement('one', 'select 1'))
})

test('a file gives its text and is named after itself', () => {
  const { name, text } = statement(import.meta.url, '../sql/dump-tables.sql')
  expect(name).toMatch(/^dump-tables_[0-9a-f]{10}$/)
  expect(text).toContain('from pg_class')
})

test('a file that is not there is found when the module is loaded', () => {
  expect(() => statement(import.meta.url, '../sql/no-such-file.sql')).toThrow('ENOENT')
})
