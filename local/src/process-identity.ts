import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Which process a pid means. Pids are reused, so a remembered pid alone proves nothing: after a crash or a reboot it
 * may belong to somebody else's editor. A pid together with the time its process started is unique on one machine
 * between two boots; with the boot id it is unique altogether. Nothing here ends a process whose identity differs.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal only for the same process. Linux: boot id and start tick. Elsewhere: the start time `ps` prints. */
  readonly startedAt: string
}

interface ProcessStat {
  readonly state: string
  readonly startTick: string
  readonly rssPages: number
}

let bootId: string | undefined

/** The identity of a living process, or undefined when there is none of this pid (a zombie counts as none). */
export function identityOf(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') {
    const startedAt = ps(pid, 'lstart=')
    return startedAt === undefined ? undefined : { pid, startedAt }
  }
  const stat = readStat(pid)
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return { pid, startedAt: `${bootId}:${stat.startTick}` }
}

/** True while exactly the process that was remembered still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAt === identity.startedAt
}

/** Sends a signal to the process if it is still the one that was remembered. False when it is gone. */
export function signalIfAlive(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Resolves to true once the process is gone, to false when it still runs after `timeoutMs`. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isAlive(identity)) {
    if (performance.now() >= deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

/** Resident memory of one process in MiB, rounded; undefined when it is gone. */
export function rssMiBOf(pid: number): number | undefined {
  if (process.platform !== 'linux') {
    const kib = ps(pid, 'rss=')
    return kib === undefined ? undefined : Math.round(Number(kib) / 1024)
  }
  // Proportional share: PostgreSQL's backends all map the same buffers, and plain RSS would count those once each.
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    if (pss?.[1] !== undefined) return Math.round(Number(pss[1]) / 1024)
  } catch {
    // Not readable for a process of another user; the plain figure is.
  }
  const stat = readStat(pid)
  return stat === undefined ? undefined : Math.round((stat.rssPages * 4096) / 1024 / 1024)
}

/** Direct children of a process. Empty where the system does not tell cheaply. */
export function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function readStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses: count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    state: fields[0] ?? 'X',
    startTick: fields[19] ?? '',
    rssPages: Number(fields[21]),
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-p', String(pid), '-o', column], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}
