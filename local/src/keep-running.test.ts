import { eventually } from '@bellyfed/testkit'
import { expect, test } from 'vitest'
import type { Exit } from './child-process.ts'
import { keepRunning } from './keep-running.ts'
import type { RunningPart } from './running-part.ts'

const killed: Exit = { code: null, signal: 'SIGKILL' }

/** A part without a process: `end` is its end, `restart` succeeds unless told otherwise. */
function fakePart(options: { failingRestarts?: number } = {}) {
  let report: (exit: Exit, wasAskedFor: boolean) => void = () => undefined
  let failuresLeft = options.failingRestarts ?? 0
  const calls: string[] = []
  const part: RunningPart = {
    name: 'history',
    pid: 1,
    identity: { pid: 1, startedAt: 'fake' },
    endpoint: '',
    isRunning: true,
    stop: async () => {
      calls.push('stop')
    },
    kill: async () => undefined,
    restart: async () => {
      calls.push('restart')
      if (failuresLeft-- > 0) throw new Error('no luck')
    },
    pause: () => undefined,
    resume: () => undefined,
    onExit: (callback) => {
      report = callback
    },
  }
  return { part, calls, end: (exit: Exit, wasAskedFor = false) => report(exit, wasAskedFor) }
}

function keep(fake: ReturnType<typeof fakePart>, recoveredAfterMs = 60_000) {
  const lines: string[] = []
  const kept = keepRunning(fake.part, {
    log: (line) => lines.push(line),
    onChange: () => undefined,
    delayMsMin: 1,
    delayMsMax: 8,
    recoveredAfterMs,
  })
  return { kept, lines }
}

test('a part that ends on its own is started again', async () => {
  const fake = fakePart()
  const { kept, lines } = keep(fake)
  fake.end(killed)
  expect(kept.isUp).toBe(false)
  await eventually(() => kept.isUp, { what: 'started again' })
  expect(fake.calls).toEqual(['restart'])
  expect(kept.restartCount).toBe(1)
  expect(lines[0]).toBe('it ended on its own (signal SIGKILL); starting it again in 0.001 s')
})

test('a part that cannot be started is tried again after waits that double up to a limit', async () => {
  const fake = fakePart({ failingRestarts: 5 })
  const { kept, lines } = keep(fake)
  fake.end(killed)
  await eventually(() => kept.isUp, { what: 'started at last' })
  const waits = lines.flatMap((line) => /in (\S+) s$/.exec(line)?.[1] ?? [])
  expect(waits).toEqual(['0.001', '0.002', '0.004', '0.008', '0.008', '0.008'])
})

test('after it has recovered the wait is short again', async () => {
  const fake = fakePart()
  const { kept, lines } = keep(fake, 0)
  for (let round = 1; round <= 3; round++) {
    fake.end(killed)
    await eventually(() => kept.restartCount === round && kept.isUp, { what: `restart ${round}` })
  }
  expect(lines.filter((line) => line.endsWith('in 0.001 s'))).toHaveLength(3)
})

test('a part that was stopped on purpose stays down', async () => {
  const fake = fakePart()
  const { kept } = keep(fake)
  await kept.stop()
  fake.end({ code: 0, signal: null }, true)
  fake.end(killed)
  expect(kept.restartCount).toBe(0)
})

test('a stop during the wait cancels the start', async () => {
  const fake = fakePart()
  const { kept } = keep(fake)
  fake.end(killed)
  await kept.stop()
  expect(fake.calls).not.toContain('restart')
})
