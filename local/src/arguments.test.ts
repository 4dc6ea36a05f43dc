import { expect, test } from 'vitest'
import { readArguments, readDurationSeconds } from './arguments.ts'
import { readTokenArguments } from './commands/token.ts'
import { commands } from './commands.ts'

test('an unknown option is refused by name', () => {
  expect(() => readArguments(['--bogus'], { json: { type: 'boolean' } })).toThrow("Unknown option '--bogus'")
})

test('a word too many is refused', () => {
  expect(() => readArguments(['kafka', 'postgres'], {}, 1)).toThrow('"postgres" is not expected')
})

test('a value for a flag is refused', () => {
  expect(() => readArguments(['--json=yes'], { json: { type: 'boolean' } })).toThrow('--json')
})

test.each([
  ['90s', 90],
  ['15m', 900],
  ['12h', 43_200],
  ['30d', 2_592_000],
])('the duration %s is %i seconds', (text, seconds) => {
  expect(readDurationSeconds('--expires-in', text)).toBe(seconds)
})

test.each(['', '0s', '15', 'm', '-5m', '1.5h', '366d', '999999999d'])('"%s" is no duration', (text) => {
  expect(() => readDurationSeconds('--expires-in', text)).toThrow('--expires-in')
})

test('a token needs a known role', () => {
  expect(() => readTokenArguments([])).toThrow('--role is missing: one of user, service, admin')
  expect(() => readTokenArguments(['--role', 'root'])).toThrow('--role root is not one of user, service, admin')
})

test('a token is of the user that was named, in lower case', () => {
  const user = '0197A1B2-0000-7000-8000-00000000000F'
  expect(readTokenArguments(['--role', 'user', '--user', user]).subject).toBe(user.toLowerCase())
  expect(() => readTokenArguments(['--role', 'user', '--user', 'alice'])).toThrow('--user alice is not a UUID')
})

test('every command explains itself and refuses what it does not know', async () => {
  expect([...commands.keys()]).toEqual(['start', 'status', 'stop', 'reset', 'logs', 'token'])
  for (const [name, command] of commands) {
    expect(command.help, name).toMatch(/npm (start|run)/)
    await expect(command.run(['--bogus']), name).rejects.toThrow("Unknown option '--bogus'")
  }
})

test('a reset without --yes removes nothing', async () => {
  await expect(commands.get('reset')?.run([])).rejects.toThrow('--yes')
})
