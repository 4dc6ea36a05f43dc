import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf, type ProcessIdentity, signalIfAlive, waitUntilGone } from './process-identity.ts'

/**
 * What a killed run may leave of PostgreSQL: a `postmaster.pid` whose pid is dead, or belongs to somebody else by now,
 * or, where the kernel could not end it with its parent, a server that still runs on our data.
 *
 * A process is our orphan only when it provably serves this very data directory: the server changes into it, so its
 * working directory tells. Such a one is stopped, and ended when it does not stop. A `postmaster.pid` that names any
 * other process is removed, or PostgreSQL would refuse to start for as long as that unrelated process lives.
 */
export async function endOrphanedPostgres(dataDirectory: string): Promise<void> {
  for (const identity of serversOf(dataDirectory)) {
    if (!signalIfAlive(identity, 'SIGINT')) continue
    if (await waitUntilGone(identity, stopTimeoutMs)) continue
    signalIfAlive(identity, 'SIGKILL')
    await waitUntilGone(identity, stopTimeoutMs)
  }
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true })
}

const stopTimeoutMs = 5_000

/** The living processes that serve this data directory, the postmaster among them. */
function serversOf(dataDirectory: string): ProcessIdentity[] {
  const pids = process.platform === 'linux' ? allPids() : pidOfFile(dataDirectory)
  return pids.filter((pid) => servesDirectory(pid, dataDirectory)).flatMap((pid) => identityOf(pid) ?? [])
}

function servesDirectory(pid: number, dataDirectory: string): boolean {
  if (process.platform !== 'linux') return commandOf(pid).includes(dataDirectory)
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataDirectory && commandOf(pid).includes('postgres')
  } catch {
    return false
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function pidOfFile(dataDirectory: string): number[] {
  try {
    const pid = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0])
    return Number.isInteger(pid) && pid > 1 ? [pid] : []
  } catch {
    return []
  }
}
