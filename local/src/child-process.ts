import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { identityOf, type ProcessIdentity } from './process-identity.ts'

/**
 * One child process of ours.
 *
 * It leads its own process group, so that a Ctrl-C in the terminal reaches only the supervisor and the children stop
 * in the supervisor's order. In return nothing but the supervisor would end it; on Linux the kernel therefore ends it
 * with its parent (`setpriv --pdeathsig KILL`), elsewhere the next start finds it in the state file.
 * Every line it prints goes to its log file and to `onLine`.
 */
export interface ChildOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly workingDirectory: string
  /** Appended to; its directory is created. Undefined when `onLine` alone takes the output. */
  readonly logFile?: string | undefined
  readonly onLine?: ((line: string) => void) | undefined
  /** Run as this user. Only root may ask for it. */
  readonly user?: UnprivilegedUser | undefined
  /** Called as soon as it exists, before it is ready. */
  readonly onSpawn?: ((child: Child) => void) | undefined
}

export interface UnprivilegedUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** Keep the right to pass directories that only root may pass, and nothing else of root. Linux with `setpriv` only. */
  readonly passesDirectories: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child {
  readonly name: string
  readonly identity: ProcessIdentity
  readonly exited: Promise<Exit>
  /** Resolves after the exit, when its last output has been read too. */
  readonly closed: Promise<void>
  readonly exit: Exit | undefined
  /** The last lines it printed, for error messages. */
  lastLines(): string
  signal(signal: NodeJS.Signals): void
}

const lastLinesKept = 12
/** In the order of their start. */
const living = new Set<Child>()
let isClosed = false
let onLivingChange: () => void = () => undefined
let setprivPath: string | undefined | null = null

/** The full path of a program on the PATH, or undefined. */
export function findOnPath(program: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    if (directory === '') continue
    const candidate = join(directory, program)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return undefined
}

/** What children inherit of our environment: enough to find programs and speak through a proxy, nothing that steers them. */
export function baseEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'USER', 'TMPDIR', 'JAVA_HOME', 'JAVA_TOOL_OPTIONS', 'MAVEN_OPTS', 'MAVEN_ARGS']
  const kept: NodeJS.ProcessEnv = {}
  for (const name of names) if (process.env[name] !== undefined) kept[name] = process.env[name]
  return kept
}

/** Starts a child and returns once it exists. Throws when the program cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  if (isClosed) throw new Error(`${options.name} is not started any more: everything is being stopped.`)
  const [command, ...args] = commandLine(options)
  const child = spawn(command as string, args, {
    cwd: options.workingDirectory,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(options.user !== undefined && setpriv() === undefined ? { uid: options.user.uid, gid: options.user.gid } : {}),
  })
  const output = collectOutput(child, options)
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal }
      resolve(exit)
    })
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) => reject(new Error(`${options.name} cannot be started: ${error.message}`)))
  })
  child.on('error', () => undefined) // A signal that could not be delivered; the exit event tells the rest.
  const pid = child.pid as number
  const identity = identityOf(pid) ?? { pid, startedAt: 'ended at once' }
  const handle: Child = {
    name: options.name,
    identity,
    exited,
    closed,
    get exit() {
      return exit
    },
    lastLines: () => output.lastLines.join('\n'),
    signal: (signal) => {
      if (exit === undefined) child.kill(signal)
    },
  }
  living.add(handle)
  onLivingChange()
  void exited.then(() => {
    living.delete(handle)
    onLivingChange()
  })
  options.onSpawn?.(handle)
  return handle
}

/** Every child that lives, in the order of their start; also those that are only being started. */
export function livingChildren(): readonly Child[] {
  return [...living]
}

/** Calls back at once after each start and end of a child. One watcher at a time; `undefined` ends it. */
export function watchChildren(onChange: (() => void) | undefined): void {
  onLivingChange = onChange ?? (() => undefined)
}

/** Ends every child that still lives, also those that are only being started, the youngest first; no more may start. */
export async function endAllChildren(timeoutMs: number): Promise<void> {
  isClosed = true
  for (;;) {
    const youngest = [...living].at(-1)
    if (youngest === undefined) return
    await stopChild(youngest, timeoutMs)
  }
}

/** Runs a program to its end. Throws with its last lines when it fails or takes longer than `timeoutMs`. */
export async function runToEnd(options: ChildOptions, timeoutMs: number): Promise<void> {
  const child = await startChild(options)
  const timer = setTimeout(() => child.signal('SIGKILL'), timeoutMs)
  const exit = await child.exited
  clearTimeout(timer)
  if (exit.code === 0) return
  await outputRead(child)
  const how = exit.code === null ? `was ended by ${exit.signal}` : `failed with code ${exit.code}`
  throw new Error(`${options.name} ${how}:\n${child.lastLines()}`)
}

/** SIGTERM, and SIGKILL after `timeoutMs`. Resolves when the child is gone; stopping twice is fine. */
export async function stopChild(child: Child, timeoutMs: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
  child.signal(signal)
  const timer = setTimeout(() => child.signal('SIGKILL'), timeoutMs)
  const exit = await child.exited
  clearTimeout(timer)
  return exit
}

/** Polls `isReady` until it is true. Throws when the child ends before; ends it and throws after `timeoutMs`. */
export async function waitUntilReady(child: Child, isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const ready = await isReady().catch(() => false)
    if (child.exit !== undefined) {
      await outputRead(child)
      throw new EndedEarly(child)
    }
    if (ready) return
    if (performance.now() >= deadline) {
      child.signal('SIGKILL')
      await child.exited
      throw new Error(`${child.name} was not ready within ${timeoutMs / 1000} s. Its last lines:\n${child.lastLines()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** Its last words usually say why it ended. Bounded, because a grandchild may keep the pipe open. */
async function outputRead(child: Child): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 500)
  })
  await Promise.race([child.closed, bound])
  clearTimeout(timer)
}

/** The child ended while it was expected to become ready. */
export class EndedEarly extends Error {
  readonly lastLines: string
  constructor(child: Child) {
    const { code, signal } = child.exit ?? { code: null, signal: null }
    super(`${child.name} ended while starting (${signal ?? `code ${code}`}). Its last lines:\n${child.lastLines()}`)
    this.name = 'EndedEarly'
    this.lastLines = child.lastLines()
  }
}

function commandLine(options: ChildOptions): string[] {
  const tool = setpriv()
  if (tool === undefined) return [options.command, ...options.args]
  const wrapper = [tool, '--pdeathsig', 'KILL']
  if (options.user !== undefined) {
    wrapper.push(`--reuid=${options.user.uid}`, `--regid=${options.user.gid}`, '--clear-groups')
    const rights = options.user.passesDirectories ? '-all,+dac_override' : '-all'
    wrapper.push(`--inh-caps=${rights}`, `--ambient-caps=${rights}`)
  }
  return [...wrapper, '--', options.command, ...options.args]
}

/** util-linux's `setpriv`, which hands its pid on to the program it starts. Undefined where there is none. */
export function setpriv(): string | undefined {
  if (setprivPath === null) setprivPath = process.platform === 'linux' ? findOnPath('setpriv') : undefined
  return setprivPath
}

function collectOutput(child: ChildProcess, options: ChildOptions): { lastLines: string[] } {
  const lastLines: string[] = []
  let file: number | undefined
  if (options.logFile !== undefined) {
    mkdirSync(dirname(options.logFile), { recursive: true })
    file = openSync(options.logFile, 'a')
  }
  const take = (line: string): void => {
    lastLines.push(line)
    if (lastLines.length > lastLinesKept) lastLines.shift()
    if (file !== undefined) writeSync(file, `${line}\n`)
    options.onLine?.(line)
  }
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take)
  }
  child.once('close', () => {
    if (file !== undefined) closeSync(file)
    file = undefined
  })
  return { lastLines }
}
