import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

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
  readonly command: string
  readonly state: string
  readonly parentPid: number
  readonly startTick: string
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

/** Resident memory of a process and of those it started itself, in MiB, rounded; undefined when it is gone. */
export function residentMiB(pid: number): number | undefined {
  const own = residentKiB(pid)
  if (own === undefined) return undefined
  // Of the children the proportional share: PostgreSQL's backends all map the same buffers.
  const children = childrenOf(pid).reduce((sum, child) => sum + (proportionalKiB(child) ?? residentKiB(child) ?? 0), 0)
  return Math.round((own + children) / 1024)
}

/** Resident memory of a process alone, in MiB, rounded; undefined when it is gone. */
export function ownMiB(pid: number): number | undefined {
  const kib = residentKiB(pid)
  return kib === undefined ? undefined : Math.round(kib / 1024)
}

function residentKiB(pid: number): number | undefined {
  if (process.platform !== 'linux') {
    const kib = ps(pid, 'rss=')
    return kib === undefined ? undefined : Number(kib)
  }
  return kibOf(`/proc/${pid}/status`, 'VmRSS')
}

function proportionalKiB(pid: number): number | undefined {
  return kibOf(`/proc/${pid}/smaps_rollup`, 'Pss')
}

function kibOf(path: string, field: string): number | undefined {
  try {
    const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(path, 'utf8'))?.[1]
    return value === undefined ? undefined : Number(value)
  } catch {
    return undefined
  }
}

/**
 * Our parent, and the parent's parent when a shell stands in between, as it does under npm on some systems. Whoever of
 * them dies cannot pass a signal on to us any more.
 */
export function launchers(): ProcessIdentity[] {
  const parent = identityOf(process.ppid)
  if (parent === undefined) return []
  const stat = process.platform === 'linux' ? readStat(parent.pid) : undefined
  const isShell = stat !== undefined && /^(ba|da|z|k)?sh$/.test(stat.command)
  const above = isShell ? identityOf(stat.parentPid) : undefined
  return above === undefined ? [parent] : [parent, above]
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

/**
 * True when the process itself listens on the port. Somebody else's server on a port that ours was about to take would
 * answer a probe just as well. True as well where the system does not tell.
 */
export function listensOn(pid: number, port: number): boolean {
  if (process.platform !== 'linux') return true
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(`/proc/${pid}/net/${table}`, port)))
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`)
    return descriptors.some((descriptor) => sockets.has(linkOf(`/proc/${pid}/fd/${descriptor}`)))
  } catch {
    return false
  }
}

/** `socket:[inode]` of each listener on the port; in these tables state 0A is LISTEN and numbers are hexadecimal. */
function listeningSockets(path: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let rows: string[]
  try {
    rows = readFileSync(path, 'utf8').split('\n').slice(1)
  } catch {
    return []
  }
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/)
    return state === '0A' && local?.endsWith(suffix) ? [`socket:[${inode}]`] : []
  })
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
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
    command: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    state: fields[0] ?? 'X',
    parentPid: Number(fields[1]),
    startTick: fields[19] ?? '',
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
