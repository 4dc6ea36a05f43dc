import { join } from 'node:path'
import {
  baseEnvironment,
  type Child,
  type ChildOptions,
  runToEnd,
  startChild,
  waitUntilReady,
} from './child-process.ts'
import type { Layout } from './layout.ts'
import { answers } from './probe.ts'
import { listensOn } from './process-identity.ts'
import { type RunningPart, runPart } from './running-part.ts'
import type { Probe } from './state-file.ts'

/** Our own programs, each a Node process of its own on the same Node that runs this. */
export interface ProgramOptions {
  readonly name: string
  /** Entry point, from the project's directory. */
  readonly entry: string
  readonly args?: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly layout: Layout
  readonly onLine: (line: string) => void
}

const readyTimeoutMs = 60_000
// Longer than the services' own bound, so that they report what did not stop in time.
const stopTimeoutMs = 6_000

/** Starts a service and waits until it says that it is ready. */
export async function startService(
  options: ProgramOptions & {
    readonly ready: Probe
    /** Those that it must listen on. */
    readonly ports: readonly number[]
  },
): Promise<RunningPart> {
  const launch = async (onSpawn: (child: Child) => void): Promise<Child> => {
    const child = await startChild({ ...programOf(options), onSpawn })
    const isReady = async (): Promise<boolean> =>
      options.ports.every((port) => listensOn(child.identity.pid, port)) && (await answers(options.ready))
    await waitUntilReady(child, isReady, readyTimeoutMs)
    return child
  }
  const endpoint = options.ready.kind === 'http' ? options.ready.url : `${options.ready.host}:${options.ready.port}`
  return runPart({ name: options.name, endpoint, stopSignal: 'SIGTERM', stopTimeoutMs, launch })
}

/** Runs a program of ours to its end. Throws with its last lines when it fails. */
export async function runProgram(options: ProgramOptions, timeoutMs: number): Promise<void> {
  await runToEnd(programOf(options), timeoutMs)
}

function programOf(options: ProgramOptions): ChildOptions {
  return {
    name: options.name,
    command: process.execPath,
    // kafkajs computes a negative timeout once a process, without effect; Node 24 warns of it.
    args: [...nodeFlags, options.entry, ...(options.args ?? [])],
    environment: {
      ...baseEnvironment(),
      KAFKAJS_NO_PARTITIONER_WARNING: '1',
      NODE_COMPILE_CACHE: join(options.layout.directory, 'compile-cache'),
      ...options.environment,
    },
    workingDirectory: options.layout.project,
    onLine: options.onLine,
  }
}

const nodeFlags = ['--conditions=source', '--disable-warning=TimeoutNegativeWarning']
