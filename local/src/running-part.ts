import { join } from 'node:path'
import { type Child, type Exit, stopChild } from './child-process.ts'
import { childrenOf, identityOf, type ProcessIdentity, waitUntilGone } from './process-identity.ts'

/**
 * A part that runs: one process that was started and found ready, with the means to stop it in order, to end it
 * without warning, to freeze it, and to start it again on the same port with the same data.
 */
export interface RunningPart {
  readonly name: string
  readonly pid: number
  readonly identity: ProcessIdentity
  /** `host:port`, or a URL where the part speaks HTTP. */
  readonly endpoint: string
  readonly isRunning: boolean
  /** In order; SIGKILL when that takes too long. Twice is fine. */
  stop(): Promise<void>
  /** SIGKILL. Resolves when the process and what it started are gone. */
  kill(): Promise<void>
  /** The same port and data again, after stopping what still runs. Resolves when it is ready. */
  restart(): Promise<void>
  /** Freezes the part and the processes it started (SIGSTOP). */
  pause(): void
  /** Lets a frozen part go on (SIGCONT). */
  resume(): void
  /** Called at each end of the process, also at one that was not asked for. */
  onExit(callback: (exit: Exit, wasAskedFor: boolean) => void): void
}

export interface PartLifecycle {
  readonly name: string
  readonly endpoint: string
  /** Starts the process, hands it to `onSpawn` at once, and waits until it is ready. */
  readonly launch: (onSpawn: (child: Child) => void) => Promise<Child>
  readonly stopSignal: NodeJS.Signals
  readonly stopTimeoutMs: number
}

const goneTimeoutMs = 10_000

/** Launches a part. Rejects, with nothing left running, when it does not become ready. */
export async function runPart(lifecycle: PartLifecycle): Promise<RunningPart> {
  const callbacks: ((exit: Exit, wasAskedFor: boolean) => void)[] = []
  let child: Child | undefined
  let isEndAskedFor = false

  const launch = async (): Promise<void> => {
    isEndAskedFor = false
    const launched = await lifecycle.launch((spawned) => {
      child = spawned
      if (isEndAskedFor) spawned.signal('SIGKILL')
    })
    const report = (exit: Exit): void => {
      for (const callback of callbacks) callback(exit, isEndAskedFor)
    }
    void launched.exited.then(report)
  }
  await launch()

  const end = async (finish: (running: Child) => Promise<unknown>): Promise<void> => {
    isEndAskedFor = true
    if (child === undefined || child.exit !== undefined) return
    const family = familyOf(child.identity.pid)
    await finish(child)
    await Promise.all(family.map((identity) => waitUntilGone(identity, goneTimeoutMs)))
  }
  const stop = (): Promise<void> =>
    end((running) => {
      signalFamily(running, 'SIGCONT')
      return stopChild(running, lifecycle.stopTimeoutMs, lifecycle.stopSignal)
    })
  const identity = (): ProcessIdentity => (child as Child).identity

  return {
    name: lifecycle.name,
    endpoint: lifecycle.endpoint,
    get pid() {
      return identity().pid
    },
    get identity() {
      return identity()
    },
    get isRunning() {
      return child?.exit === undefined
    },
    stop,
    kill: () =>
      end((running) => {
        running.signal('SIGKILL')
        return running.exited
      }),
    restart: async () => {
      await stop()
      await launch()
    },
    pause: () => signalFamily(child as Child, 'SIGSTOP'),
    resume: () => signalFamily(child as Child, 'SIGCONT'),
    onExit: (callback) => callbacks.push(callback),
  }
}

/** The parent first, so that a frozen one starts no further children meanwhile. */
function signalFamily(child: Child, signal: NodeJS.Signals): void {
  child.signal(signal)
  for (const pid of childrenOf(child.identity.pid)) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended in between.
    }
  }
}

function familyOf(pid: number): ProcessIdentity[] {
  return childrenOf(pid).flatMap((childPid) => identityOf(childPid) ?? [])
}

/** True when a start failed because somebody else had the port, in the words of PostgreSQL, Java, Quarkus or Node. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /EADDRINUSE|address already in use|bindexception|port.*in use/i.test(error.message)
}

/** Starts a part on `port`, or, when that is left open, on a free one; a port lost to a faster process is replaced. */
export async function onFreePort<T>(
  port: number | undefined,
  findPort: () => Promise<number>,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined) return start(port)
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await findPort())
    } catch (error) {
      const isPortTaken =
        error instanceof Error && /address already in use|bindexception|port.*in use/i.test(error.message)
      if (!isPortTaken || attempt >= portAttempts) throw error
    }
  }
}

const portAttempts = 5

/** Where a part's output goes: the file asked for, none when a callback takes it, else a log in its directory. */
export function logFileOf(
  directory: string,
  name: string,
  options: { readonly logFile?: string | undefined; readonly onLog?: ((line: string) => void) | undefined },
): string | undefined {
  if (options.logFile !== undefined) return options.logFile
  return options.onLog === undefined ? join(directory, `${name}.log`) : undefined
}
