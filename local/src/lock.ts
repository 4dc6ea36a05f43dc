import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts'

/**
 * A lock file names its holder by pid and start time, so that it frees itself with the holder's death.
 *
 * Taking it: write our identity to a file of our own and `link` that to the lock's name, which only one process can
 * do. If the name is taken and its holder is dead, the stale file is first *renamed* away: only one process can rename
 * it, and it looks again at what it has renamed, because another one may have replaced the stale lock in between; a
 * living holder's lock is put back.
 */
export interface Lock {
  release(): void
}

/** The lock, or the living process that holds it. */
export function tryLock(path: string): Lock | { readonly holder: ProcessIdentity } {
  mkdirSync(dirname(path), { recursive: true })
  const self = identityOf(process.pid)
  if (self === undefined) throw new Error('The start time of this process cannot be read.')
  const own = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(own, JSON.stringify(self))
  try {
    for (;;) {
      if (link(own, path)) return { release: () => rmSync(path, { force: true }) }
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) return { holder }
      removeStale(path)
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Waits for the lock. Throws after `timeoutMs`, naming the holder. */
export async function waitForLock(path: string, timeoutMs: number, onWait: () => void): Promise<Lock> {
  const deadline = performance.now() + timeoutMs
  let told = false
  for (;;) {
    const result = tryLock(path)
    if ('release' in result) return result
    if (performance.now() >= deadline) {
      throw new Error(`${path} is held by process ${result.holder.pid} for more than ${timeoutMs / 1000} s.`)
    }
    if (!told) onWait()
    told = true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Who holds the lock, living or not. Undefined when there is no lock or it cannot be read. */
export function readHolder(path: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, startedAt } = value as Partial<ProcessIdentity>
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined
  } catch {
    return undefined
  }
}

function removeStale(path: string): void {
  const aside = `${path}.stale.${process.pid}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const holder = readHolder(aside)
  if (holder !== undefined && isAlive(holder)) link(aside, path)
  rmSync(aside, { force: true })
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
