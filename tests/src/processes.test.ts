import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { isGroupRunning, isRunning, processesOf } from './processes.ts'

const started: ReturnType<typeof spawn>[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

/** A process that leads a group of its own and waits until it is ended. */
function idler(environment: NodeJS.ProcessEnv = {}) {
  const child = spawn('sleep', ['600'], { detached: true, env: { PATH: process.env.PATH, ...environment } })
  started.push(child)
  return { child, pid: child.pid as number }
}

describe('a process', () => {
  test('runs until it has ended, and so does its group', async () => {
    const { child, pid } = idler()
    expect([isRunning(pid), isGroupRunning(pid)]).toEqual([true, true])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect([isRunning(pid), isGroupRunning(pid)]).toEqual([false, false])
  })

  test('belongs to the directory that its environment names, where the system tells', () => {
    const directory = `/nowhere/${process.pid}`
    const { pid } = idler({ LIVES_IN: directory })
    idler()
    expect(processesOf(directory).map((found) => found.pid)).toEqual(existsSync('/proc/self/stat') ? [pid] : [])
  })
})
