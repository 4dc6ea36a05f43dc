import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from './lifecycle.ts'
import { createLogger } from './logger.ts'
import { assertNodeVersion } from './node-version.ts'
import type { Part } from './part.ts'

/** Parts that write down what happens to them. */
function recorder() {
  const happened: string[] = []
  const part = (name: string, overrides: Partial<Part> = {}): Part => ({
    name,
    start: async () => void happened.push(`start ${name}`),
    stop: async () => void happened.push(`stop ${name}`),
    ...overrides,
  })
  return { happened, part }
}

/** Runs parts in this process and returns the code that it would have ended with. */
async function runHere(parts: readonly Part[], stopTimeoutMs = 1_000): Promise<{ code: number; lines: string[] }> {
  const codes: number[] = []
  const lines: string[] = []
  const log = createLogger({ service: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } })
  await run(parts, { log, stopTimeoutMs, exit: (code) => void codes.push(code) })
  expect(codes).toHaveLength(1)
  return { code: codes[0] ?? -1, lines }
}

function faulty(name: string, base: Part): { part: Part; fail: () => void } {
  let report: (fault: Error) => void = () => {}
  const setReport = (given: (fault: Error) => void): void => {
    report = given
  }
  return {
    part: { ...base, name, onFault: setReport },
    fail: () => report(new Error('lost its lock')),
  }
}

test('parts start in order and stop in reverse', async () => {
  const { happened, part } = recorder()
  const last = faulty('c', part('c'))
  const { code } = await runHere([part('a'), part('b'), { ...last.part, start: async () => queueMicrotask(last.fail) }])
  expect(happened).toEqual(['start a', 'start b', 'stop c', 'stop b', 'stop a'])
  expect(code).toBe(1)
})

test('a start that fails stops what was started, in reverse, and nothing else', async () => {
  const { happened, part } = recorder()
  const failing = part('c', { start: async () => Promise.reject(new Error('port is taken')) })
  const { code, lines } = await runHere([part('a'), part('b'), failing, part('d')])
  expect(happened).toEqual(['start a', 'start b', 'stop b', 'stop a'])
  expect(code).toBe(1)
  expect(lines.join()).toContain('port is taken')
})

test('a fault of a running part stops all in order with code 1, and names the part', async () => {
  const { happened, part } = recorder()
  const relay = faulty('relay', part('relay'))
  const { code, lines } = await runHere([part('pool'), relay.part, part('last', { start: async () => relay.fail() })])
  expect(happened).toEqual(['start pool', 'start relay', 'stop last', 'stop relay', 'stop pool'])
  expect(code).toBe(1)
  expect(lines.some((line) => line.includes('lost its lock') && line.includes('"part":"relay"'))).toBe(true)
})

test('a stop that fails does not keep the others from stopping', async () => {
  const { happened, part } = recorder()
  const relay = faulty('relay', part('relay', { start: async () => queueMicrotask(() => relay.fail()) }))
  const failing = part('b', { stop: async () => Promise.reject(new Error('no')) })
  expect((await runHere([part('a'), failing, relay.part])).code).toBe(1)
  expect(happened).toEqual(['start a', 'start b', 'stop relay', 'stop a'])
})

test('a stop that hangs ends the process in time and is named', async () => {
  const { part } = recorder()
  const relay = faulty('relay', part('relay', { start: async () => queueMicrotask(() => relay.fail()) }))
  const hanging = part('hanging', { stop: () => new Promise(() => {}) })
  const { code, lines } = await runHere([hanging, relay.part], 50)
  expect(code).toBe(1)
  expect(lines.some((line) => line.includes('stop timed out') && line.includes('"part":"hanging"'))).toBe(true)
})

test('a fault during a start that hangs is not waited out', async () => {
  const { happened, part } = recorder()
  const relay = faulty('relay', part('relay'))
  const hanging = part('hanging', {
    start: () => {
      relay.fail()
      return new Promise(() => {})
    },
  })
  expect((await runHere([relay.part, hanging, part('never')])).code).toBe(1)
  expect(happened).toEqual(['start relay', 'stop hanging', 'stop relay'])
})

test('another major version of Node.js is refused with what to install', () => {
  expect(() => assertNodeVersion('22.1.0')).toThrow(/Node\.js 24 is required, this is 22\.1\.0/)
  expect(() => assertNodeVersion('24.0.0')).not.toThrow()
})

describe('as a process of its own', { timeout: 30_000 }, () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops in order with code 0, and once is enough', async (signal) => {
    const ended = await runChild(`await run(parts, { log })`, (child) => child.kill(signal))
    expect(ended).toEqual({ code: 0, happened: ['start a', 'start b', 'stop b', 'stop a'] })
  })

  test('a second signal during the stop changes nothing', async () => {
    const twice = `parts[1].stop = async () => { say('stopping b'); await new Promise((done) => process.once('SIGINT', done)); say('stop b') }
      await run(parts, { log })`
    const ended = await runChild(
      twice,
      (child) => child.kill('SIGTERM'),
      (child) => child.kill('SIGINT'),
    )
    expect(ended).toEqual({ code: 0, happened: ['start a', 'start b', 'stopping b', 'stop b', 'stop a'] })
  })

  test('a stop that hangs ends with code 1', async () => {
    const hanging = `parts[0].stop = () => new Promise(() => setInterval(() => {}, 1000)); await run(parts, { log, stopTimeoutMs: 50 })`
    expect(await runChild(hanging, (child) => child.kill('SIGTERM'))).toMatchObject({ code: 1 })
  })

  test('an unhandled rejection ends with code 1', async () => {
    expect(
      await runChild(`setImmediate(() => Promise.reject(new Error('lost'))); await run(parts, { log })`),
    ).toMatchObject({ code: 1 })
  })

  test('an uncaught exception ends with code 1', async () => {
    expect(await runChild(`setImmediate(() => { throw new Error('lost') }); await run(parts, { log })`)).toMatchObject({
      code: 1,
    })
  })

  type Child = ReturnType<typeof spawn>

  /** Runs `source` with two parts in a child; calls `onReady` when both run, `onStopping` when the stop is under way. */
  async function runChild(source: string, onReady?: (child: Child) => void, onStopping?: (child: Child) => void) {
    const program = `
      import { createLogger, run } from '${new URL('./index.ts', import.meta.url).href}'
      const log = createLogger({ service: 'child', level: 'silent' })
      const say = (line) => process.stdout.write(line + '\\n')
      const part = (name) => ({ name, start: async () => say('start ' + name), stop: async () => say('stop ' + name) })
      const parts = [part('a'), part('b')]
      setInterval(() => {}, 1000)
      ${source}`
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout?.on('data', (piece: Buffer) => {
      const before = output
      output += piece.toString()
      if (!before.includes('start b\n') && output.includes('start b\n')) onReady?.(child)
      if (!before.includes('stopping b\n') && output.includes('stopping b\n')) onStopping?.(child)
    })
    const [code]: (number | null)[] = await once(child, 'close')
    return { code, happened: output.split('\n').filter((line) => line !== '') }
  }
})
