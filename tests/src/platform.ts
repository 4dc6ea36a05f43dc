/**
 * A platform as a user has it: started by the program behind `npm start`, in a folder of its own, so that it meets
 * nobody else's. Everything a test knows about it, it knows from what a user sees: the closing screen, `local:status`,
 * `token`. Nothing of it outlives the test: the kernel ends it with us, and `remove` ends it in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@bellyfed/testkit'
import { argumentsOfScript, type Outcome, root, runToEnd } from './npm-script.ts'
import { killProcessesOf } from './processes.ts'

/** What `npm run local:status -- --json` prints. */
export interface PlatformStatus {
  readonly ready: boolean
  readonly api: string | null
  readonly parts: readonly PartStatus[]
}

export interface PartStatus {
  readonly name: string
  readonly kind: string
  readonly state: string
  readonly pid: number | null
  readonly port: number | null
  readonly rssMiB: number | null
}

/** The endpoints that the closing screen names. */
export interface Places {
  readonly api: string
  /** Of the owner of the database. */
  readonly postgres: string
  readonly brokers: readonly string[]
  readonly registry: string
}

export interface Platform {
  readonly directory: string
  /** What every command on this platform is run with. */
  readonly environment: NodeJS.ProcessEnv
  /** The process of the latest start. */
  supervisor(): ChildProcess
  /** What the latest start has printed so far. */
  screen(): string
  places(): Places
  /** Starts it and waits for the screen that closes a start. Resolves to how long that took, in milliseconds. */
  start(): Promise<number>
  /** SIGTERM, then waits for the end. Resolves to how long that took, in milliseconds. */
  stop(): Promise<number>
  status(): Promise<PlatformStatus>
  /** Waits until everything is ready, and resolves to the status that says so. */
  untilReady(isSo?: (status: PlatformStatus) => boolean): Promise<PlatformStatus>
  pidOf(part: string): Promise<number>
  token(role: 'user' | 'service' | 'admin', user?: string): Promise<string>
  /** Runs an npm script of the project to its end. */
  npm(script: string, args?: readonly string[]): Promise<Outcome>
  /** Stops what runs and removes the folder. */
  remove(): Promise<void>
}

const startTimeoutMs = 240_000
const readyTimeoutMs = 120_000
/** Settings that would make it another platform than the one a user starts on a fresh clone. */
const foreign =
  /^(NODE_OPTIONS|NODE_ENV|VITEST.*|POSTGRES_URL|KAFKA_.*|SCHEMA_REGISTRY_URL|LOG_.*|TOPIC_.*|CONSUMER_.*|RELAY_.*|RECEIPT_.*|RATE_LIMIT_.*)$/
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))

/** @param options.importsRatings false: as if the bundled ratings had been imported already, for a quicker start. */
export async function createPlatform({ importsRatings = true } = {}): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'bellyfed-e2e-'))
  await chmod(directory, 0o755)
  if (!importsRatings) await writeFile(join(directory, 'imported.json'), '{}\n')
  const environment: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
    BELLYFED_LOCAL_DIR: directory,
    BELLYFED_PACKAGES_DIR: process.env.BELLYFED_PACKAGES_DIR ?? join(root, '.local/packages'),
  }
  let running: Started | undefined
  const latest = (): Started => {
    if (running === undefined) throw new Error('the platform was not started')
    return running
  }
  const npm = (script: string, args: readonly string[] = []) =>
    runToEnd(process.execPath, [...argumentsOfScript(script), ...args], environment)
  const status = async () => JSON.parse((await npm('local:status', ['--json'])).stdout) as PlatformStatus

  return {
    directory,
    environment,
    supervisor: () => latest().child,
    screen: () => latest().printed(),
    places: () => placesOf(latest().printed()),
    npm,
    status,
    async start() {
      const startedAtMs = performance.now()
      const started = spawnSupervisor(environment)
      running = started
      const isClosed = () => started.printed().includes('Ctrl-C stops')
      const hasEnded = () => started.child.exitCode !== null || started.child.signalCode !== null
      await eventually(() => isClosed() || hasEnded(), { timeoutMs: startTimeoutMs, what: 'the closing screen' })
      if (!isClosed()) throw new Error(`npm start ended early:\n${started.printed()}`)
      return performance.now() - startedAtMs
    },
    async stop() {
      const startedAtMs = performance.now()
      latest().child.kill('SIGTERM')
      await latest().exited
      return performance.now() - startedAtMs
    },
    untilReady: (isSo = () => true) =>
      eventually(
        async () => {
          const now = await status()
          if (now.ready && isSo(now)) return now
          throw new Error(now.parts.map(({ name, state }) => `${name} ${state}`).join(', ') || 'nothing runs')
        },
        { timeoutMs: readyTimeoutMs, what: 'every part is ready' },
      ),
    async pidOf(name) {
      const pid = (await status()).parts.find((part) => part.name === name)?.pid
      if (pid === null || pid === undefined) throw new Error(`${name} does not run`)
      return pid
    },
    async token(role, user) {
      const outcome = await npm('token', ['--role', role, ...(user === undefined ? [] : ['--user', user])])
      if (outcome.code !== 0) throw new Error(`no token: ${outcome.stderr}`)
      return outcome.stdout.trim()
    },
    async remove() {
      await npm('local:stop')
      killProcessesOf(directory)
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

interface Started {
  readonly child: ChildProcess
  readonly exited: Promise<void>
  printed(): string
}

/** In a process group of its own, so that a test can end the whole group at once. */
function spawnSupervisor(environment: NodeJS.ProcessEnv): Started {
  const tied = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM', '--']
  const [command, ...args] = [...tied, process.execPath, ...argumentsOfScript('start')]
  const child = spawn(command as string, args, {
    cwd: root,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => chunks.push(text))
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return { child, exited, printed: () => chunks.join('') }
}

function placesOf(screen: string): Places {
  const place = (name: string): string => {
    const found = new RegExp(`^ {2}${name} +([^\\s]+)`, 'm').exec(screen)?.[1]
    if (found === undefined) throw new Error(`the screen names no ${name}:\n${screen}`)
    return found
  }
  return {
    api: place('API').replace(/,$/, ''),
    postgres: place('PostgreSQL'),
    brokers: place('Kafka').split(','),
    registry: place('Registry'),
  }
}
