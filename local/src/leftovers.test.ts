import { spawn } from 'node:child_process'
import { eventually } from '@bellyfed/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { endLeftovers, leftoversOf } from './leftovers.ts'
import { childrenOf, identityOf, isAlive, type ProcessIdentity, signalIfAlive } from './process-identity.ts'
import type { PlatformState } from './state-file.ts'

async function sleeper(script = 'setInterval(() => undefined, 1000)'): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', `${script}; process.stdout.write("up")`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const identity = identityOf(child.pid as number)
  if (identity === undefined) throw new Error('the child is gone')
  return identity
}

function stateOf(processes: Readonly<Record<string, ProcessIdentity>>): PlatformState {
  const parts = Object.entries(processes).map(([name, identity]) => ({
    name,
    kind: 'process' as const,
    process: identity,
    port: 1,
    probe: { kind: 'http' as const, url: 'http://127.0.0.1:1' },
    restartCount: 0,
  }))
  return { supervisor: { pid: 999_999_999, startedAt: 'gone' }, phase: 'ready', api: undefined, parts, passing: [] }
}

test('a process of the recorded run that still lives is found and stopped', async () => {
  const identity = await sleeper()
  const left = leftoversOf(stateOf({ history: identity }))
  expect(left).toEqual([{ name: 'history', identity }])
  await endLeftovers(left)
  expect(isAlive(identity)).toBe(false)
})

test('a process that got the pid later is not ours and is left alone', async () => {
  const identity = await sleeper()
  const earlier = { pid: identity.pid, startedAt: `${identity.startedAt}0` }
  expect(leftoversOf(stateOf({ history: earlier }))).toEqual([])
  expect(signalIfAlive(earlier, 'SIGKILL')).toBe(false)
  await endLeftovers([{ name: 'history', identity: earlier }])
  expect(isAlive(identity)).toBe(true)
})

test('a process that was frozen ends too', async () => {
  const identity = await sleeper()
  process.kill(identity.pid, 'SIGSTOP')
  await endLeftovers([{ name: 'kafka', identity }])
  expect(isAlive(identity)).toBe(false)
})

test('services are ended before the parts they use', async () => {
  const kafka = await sleeper()
  const history = await sleeper()
  expect(leftoversOf(stateOf({ kafka, history })).map(({ name }) => name)).toEqual(['history', 'kafka'])
})

test('without a state there is nothing left', () => {
  expect(leftoversOf(undefined)).toEqual([])
})

test.runIf(process.platform === 'linux')('a zombie is not alive', async () => {
  // The shell becomes a program that never asks how its own child ended.
  const child = spawn('sh', ['-c', 'true & exec sleep 60'], { stdio: 'ignore' })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await eventually(() => childrenOf(child.pid as number).some((pid) => identityOf(pid) === undefined), {
    what: 'the child has ended and is still listed',
  })
})
