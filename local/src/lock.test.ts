import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readHolder, tryLock, waitForLock } from './lock.ts'
import { identityOf } from './process-identity.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'))
  path = join(directory, 'x.lock')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a lock that is held names its holder', () => {
  expect(tryLock(path)).toHaveProperty('release')
  expect(tryLock(path)).toEqual({ holder: identityOf(process.pid) })
})

test('a released lock can be taken again, and no draft stays behind', () => {
  const lock = tryLock(path)
  if ('release' in lock) lock.release()
  expect(tryLock(path)).toHaveProperty('release')
  expect(readdirSync(directory)).toEqual(['x.lock'])
})

test('the lock of a dead process, of a reused pid and an unreadable lock are free', () => {
  const own = identityOf(process.pid)
  const stale = [{ pid: 999_999_999, startedAt: 'x' }, { pid: own?.pid, startedAt: `${own?.startedAt}1` }, 'nonsense']
  for (const content of stale) {
    writeFileSync(path, JSON.stringify(content))
    const lock = tryLock(path)
    expect(lock).toHaveProperty('release')
    expect(readHolder(path)).toEqual(own)
    if ('release' in lock) lock.release()
  }
})

test('of many processes that meet a stale lock exactly one gets it', async () => {
  writeFileSync(path, JSON.stringify({ pid: 999_999_999, startedAt: 'x' }))
  const module = new URL('./lock.ts', import.meta.url).href
  const script = `import { tryLock } from ${JSON.stringify(module)}
    console.log('release' in tryLock(${JSON.stringify(path)}) ? 'got it' : 'held')
    process.stdin.resume()`
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  const answers = await Promise.all(
    children.map(
      (child) => new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data).trim()))),
    ),
  )
  for (const child of children) child.stdin.end()
  expect(answers.sort()).toEqual(['got it', 'held', 'held', 'held'])
})

test('who waits too long is told who holds the lock', async () => {
  tryLock(path)
  await expect(waitForLock(path, 10, () => undefined)).rejects.toThrow(`held by process ${process.pid}`)
})
