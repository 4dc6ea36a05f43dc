import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { freePort, killSpawned, spawnProcess } from './spawn-process.ts'

let directory: string
let entry: string

const program = `
import { createServer } from 'node:http'
console.log('up', process.env.GREETING, Object.keys(process.env).includes('VITEST'))
if (process.env.FAULT) { console.error('no good'); process.exit(3) }
let count = 0
createServer((_, answer) => answer.end(String(++count))).listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => { console.log('farewell'); process.exit(0) })
`

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spawn-'))
  entry = join(directory, 'main.mjs')
  await writeFile(entry, program)
})

afterAll(async () => {
  await killSpawned()
  await rm(directory, { recursive: true, force: true })
})

async function started(env: Record<string, string> = {}) {
  const port = await freePort()
  const child = spawnProcess({ name: 'program', entry, env: { PORT: String(port), ...env } })
  return { child, url: `http://127.0.0.1:${port}/` }
}

describe('spawnProcess', () => {
  test('gives the child only the environment it was given, and collects its output', async () => {
    const { child, url } = await started({ GREETING: 'hello' })
    await child.untilReady(url)
    expect(child.output()).toContain('up hello false')
    expect(await child.stop()).toEqual({ code: 0, signal: null })
    expect(child.output()).toContain('farewell')
    expect(child.isRunning()).toBe(false)
  })

  test('a process that ends before it is ready fails the wait, with its output', async () => {
    const { child, url } = await started({ FAULT: '1' })
    await expect(child.untilReady(url)).rejects.toThrow(/program ended .*"code":3[\s\S]*no good/)
  })

  test('a killed process is gone when kill returns', async () => {
    const { child, url } = await started()
    await child.untilReady(url)
    await child.kill()
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
    await expect(fetch(url)).rejects.toThrow()
  })

  test('a paused process answers nothing until it is resumed', async () => {
    const { child, url } = await started()
    await child.untilReady(url)
    child.pause()
    await expect(fetch(url, { signal: AbortSignal.timeout(150) })).rejects.toThrow()
    child.resume()
    await eventually(async () => (await fetch(url)).ok, { what: 'it answers again' })
    await child.kill()
  })

  test('everything still running is killed at the end', async () => {
    const { child, url } = await started()
    await child.untilReady(url)
    await killSpawned()
    expect((await child.exited).signal).toBe('SIGKILL')
  })
})
