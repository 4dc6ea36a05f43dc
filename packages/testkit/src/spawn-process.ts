/**
 * A real process of a service, for tests that kill one. The child gets only the environment that the test gives it
 * (plus PATH and HOME), runs on the same Node as the test, and never outlives it: it is killed when the test file ends,
 * and on Linux by the kernel when the test's own process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface SpawnOptions {
  /** What failures call it. */
  name: string
  /** The module to run, relative to the project root, e.g. `services/history/src/main.ts`. */
  entry: string
  env: Record<string, string>
  args?: readonly string[]
  /** Further options of Node itself, e.g. `--cpu-prof`. */
  nodeArgs?: readonly string[]
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface SpawnedProcess {
  readonly name: string
  readonly pid: number
  /** Everything written to stdout and stderr so far. */
  output(): string
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<Exit>
  isRunning(): boolean
  /** Waits until `url` answers 200. Throws with the process's output when it ends first or the time is up. */
  untilReady(url: string, options?: { timeoutMs?: number }): Promise<void>
  /** Waits until the output contains `text`. */
  untilOutput(text: string, options?: { timeoutMs?: number }): Promise<void>
  /** SIGTERM, then waits for the end; SIGKILL and an error when it takes longer than `timeoutMs`. */
  stop(options?: { timeoutMs?: number }): Promise<Exit>
  /** SIGKILL, then waits until it is gone. */
  kill(): Promise<void>
  /** SIGSTOP: alive for everyone else, but doing nothing. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

/** Starts a process. It is running when this returns, not ready: see `untilReady`. */
export function spawnProcess({ name, entry, env, args = [], nodeArgs = [] }: SpawnOptions): SpawnedProcess {
  const command = [
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--']),
    process.execPath,
    '--conditions=source',
    ...nodeArgs,
    entry,
    ...args,
  ]
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} could not be started: ${command.join(' ')}`)
  running.add(child)
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => chunks.push(text))
  }
  let ended: Exit | undefined
  // 'close', not 'exit': by then the output is complete.
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      ended = { code, signal }
      resolve(ended)
    })
  })
  const output = () => chunks.join('')
  const until = async (fact: () => boolean | Promise<boolean>, what: string, timeoutMs: number) => {
    const look = async () => ((await fact()) ? 'met' : ended !== undefined && 'ended')
    const lookAgain = async () =>
      look().catch((error: Error) => (ended === undefined ? Promise.reject(error) : 'ended'))
    const outcome = await eventually(lookAgain, { timeoutMs, what }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- output of ${name} ---\n${output()}`)
    })
    if (outcome === 'ended') {
      throw new Error(`${name} ended (${JSON.stringify(ended)}) before: ${what}\n--- output ---\n${output()}`)
    }
  }
  return {
    name,
    pid,
    output,
    exited,
    isRunning: () => ended === undefined,
    untilReady: (url, { timeoutMs = 30_000 } = {}) =>
      until(async () => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok, `${name} is ready`, timeoutMs),
    untilOutput: (text, { timeoutMs = 30_000 } = {}) =>
      until(() => output().includes(text), `${name} prints ${JSON.stringify(text)}`, timeoutMs),
    stop: ({ timeoutMs = 20_000 } = {}) => stop(child, exited, name, timeoutMs, output),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>, name: string, timeoutMs: number, output: () => string) {
  child.kill('SIGTERM')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs)
  })
  const first = await Promise.race([exited, late])
  clearTimeout(timer)
  if (first !== 'late') return first
  child.kill('SIGKILL')
  await exited
  throw new Error(`${name} did not stop within ${timeoutMs} ms of SIGTERM\n--- output ---\n${output()}`)
}

/** A loopback port that was free a moment ago, for a process whose port must be known before it starts. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Kills what is still running. For the end of a test file. */
export async function killSpawned(): Promise<void> {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('close', () => resolve())
          child.kill('SIGKILL')
        }),
    ),
  )
}
