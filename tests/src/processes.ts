import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Whether a process with this id exists. One that has ended but was not yet waited for by its parent does not count. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return stateOf(pid) !== 'Z'
}

/** Whether any process belongs to the group that `leaderPid` leads, or led. */
export function isGroupRunning(leaderPid: number): boolean {
  try {
    process.kill(-leaderPid, 0)
  } catch {
    return false
  }
  return processIds().length === 0 || processIds().some((pid) => groupOf(pid) === leaderPid && stateOf(pid) !== 'Z')
}

/**
 * Every process that has to do with a directory: it stands in its arguments, its environment or as its working
 * directory. Finds also what nobody has written down. Empty on systems without /proc.
 */
export function processesOf(directory: string): { readonly pid: number; readonly command: string }[] {
  return processIds()
    .filter((pid) => pid !== process.pid && stateOf(pid) !== 'Z')
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }))
    .filter(({ pid, command }) => {
      const traces = [command, read(`/proc/${pid}/environ`), workingDirectoryOf(pid)]
      return traces.some((trace) => trace.includes(directory))
    })
}

/** SIGKILL to every such process. */
export function killProcessesOf(directory: string): void {
  for (const { pid } of processesOf(directory)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in between.
    }
  }
}

function processIds(): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Fields of /proc/<pid>/stat behind the command, which is in parentheses and may hold anything. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

const stateOf = (pid: number) => statOf(pid)[0]
const groupOf = (pid: number) => Number(statOf(pid)[2])

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // It ended in between.
  }
}

function workingDirectoryOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}
