import { expect, test } from 'vitest'
import { readArguments } from './arguments.ts'

const bars = ['decode', 'relay']

test('all bars and five rounds are the default, one round when quick', () => {
  expect(readArguments([], bars)).toMatchObject({ names: [], rounds: 5, quick: false, json: false })
  expect(readArguments(['--quick', 'relay'], bars)).toMatchObject({ names: ['relay'], rounds: 1 })
})

test.each([
  [['speed'], 'there is no bar "speed"; the bars are decode, relay'],
  [['--rounds', '0'], '--rounds is "0"'],
  [['--rounds', 'many'], 'whole number'],
  [['--fast'], 'fast'],
])('refuses %j', (argv, message) => {
  expect(() => readArguments(argv, bars)).toThrow(message)
})
