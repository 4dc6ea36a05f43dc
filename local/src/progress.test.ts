import { expect, test } from 'vitest'
import { createTeller } from './progress.ts'

function teller(isTTY: boolean) {
  const printed: string[] = []
  const logged: string[] = []
  let nowMs = 0
  const output = { isTTY, write: (text: string) => printed.push(text) } as unknown as NodeJS.WriteStream
  const tell = createTeller(
    output,
    (name, text) => logged.push(`${name}: ${text}`),
    () => nowMs,
  )
  return { tell, printed, logged, pass: (ms: number) => (nowMs += ms) }
}

test('fetching prints at most one line a second of a part, and logs every one', () => {
  const { tell, printed, logged, pass } = teller(false)
  tell('kafka', 'fetched 1 file')
  tell('kafka', 'fetched 2 files')
  pass(1_000)
  tell('kafka', 'fetched 3 files')
  expect(printed).toEqual(['  kafka              fetched 1 file\n', '  kafka              fetched 3 files\n'])
  expect(logged).toHaveLength(3)
})

test('what is no fetching is always printed', () => {
  const { tell, printed } = teller(false)
  tell('kafka', 'fetched 36 files')
  tell('kafka', 'ready on port 9092 (1.0 s)')
  expect(printed).toHaveLength(2)
})

test('on a terminal the count of fetched files goes up in place', () => {
  const { tell, printed, pass } = teller(true)
  tell('kafka', 'fetched 1 file')
  pass(1_000)
  tell('kafka', 'fetched 9 files')
  pass(1_000)
  tell('registry', 'fetched 1 file')
  expect(printed.map((text) => text.startsWith('\x1b'))).toEqual([false, true, false])
})
