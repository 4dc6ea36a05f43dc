import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogBook, readable } from './log-book.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'logs-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const read = (name: string): string => readFileSync(join(directory, name), 'utf8')

test('a line is kept as printed in its own log, and with time and name in the one of all', () => {
  const book = openLogBook(directory, { now: () => new Date(0) })
  book.write('kafka', 'Kafka Server started')
  book.write('history', '{"level":"info","time":"1970","service":"history","message":"ready","port":8082}')
  book.close()
  expect(read('kafka.log')).toBe('Kafka Server started\n')
  expect(read('history.log')).toContain('"port":8082')
  expect(read('platform.log')).toBe(
    '1970-01-01T00:00:00.000Z kafka              Kafka Server started\n' +
      '1970-01-01T00:00:00.000Z history            INFO ready port=8082\n',
  )
})

test('logs of an earlier run are continued', () => {
  for (const line of ['one', 'two']) {
    const book = openLogBook(directory)
    book.write('kafka', line)
    book.close()
  }
  expect(read('kafka.log')).toBe('one\ntwo\n')
})

test('a log that outgrows its limit makes room, keeping the one before', () => {
  const book = openLogBook(directory, { bytesMax: 20 })
  for (const line of ['1234567890', 'abcdefghij', 'next']) book.write('kafka', line)
  book.close()
  expect(read('kafka.log.1')).toBe('1234567890\nabcdefghij\n')
  expect(read('kafka.log')).toBe('next\n')
  expect(existsSync(join(directory, 'platform.log.1'))).toBe(true)
})

test('a JSON line becomes level, message and fields, and every other line stays as it is', () => {
  expect(readable('{"level":"warn","message":"late","lag":{"records":3}}')).toBe('WARN late lag={"records":3}')
  for (const line of ['{not json', '{"rowsRead":423}', 'plain']) expect(readable(line)).toBe(line)
})
