import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '@bellyfed/testkit'

const run = promisify(execFile)
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** What `npm run local:status -- --json` prints. */
export interface PlatformStatus {
  readonly ready: boolean
  readonly api: string | null
  readonly parts: readonly {
    readonly name: string
    readonly kind: string
    readonly state: string
    readonly pid: number | null
    readonly port: number | null
    readonly rssMiB: number | null
  }[]
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A platform as a user has it: started by the same program as `npm start`, with its data in a folder of its own. */
export interface Platform {
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv
  /** The supervisor of the latest start. */
  supervisor(): ChildProcess
  /** What it printed so far in the latest start. */
  screen(): string
  /** Starts it and waits for the screen that closes a start; answers how long that took. */
  start(args?: readonly string[]): Promise<number>
  /** SIGTERM, then waits for the end; answers how long that took. */
  stop(): Promise<number>
  status(): Promise<PlatformStatus>
  pidOf(part: string): Promise<number>
  token(role: 'user' | 'service' | 'admin', user?: string): Promise<string>
  api(): Promise<string>
  npm(script: string, args?: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Outcome>
  /** Stops what runs and removes the folder. */
  remove(): Promise<void>
}

const programs: Record<string, readonly string[]> = {
  start: ['local/src/main.ts', 'start'],
  'local:status': ['local/src/main.ts', 'status'],
  'local:stop': ['local/src/main.ts', 'stop'],
  'local:reset': ['local/src/main.ts', 'reset'],
  token: ['local/src/main.ts', 'token'],
  import: ['import/src/main.ts'],
}

export async function createPlatform(): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'bellyfed-e2e-'))
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    BELLYFED_LOCAL_DIR: directory,
    BELLYFED_PACKAGES_DIR: process.env['BELLYFED_PACKAGES_DIR'] ?? join(root, '.local/packages'),
    NODE_ENV: 'development',
  }
  let child: ChildProcess | undefined
  let printed = ''

  const node = (script: string, args: readonly string[] = []) => [
    '--conditions=source',
    ...(programs[script] ?? []),
    ...args,
  ]
  const npm = async (script: string, args: readonly string[] = [], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> => {
    const options = { cwd: root, env: { ...environment, ...extra }, maxBuffer: 64 * 1024 * 1024 }
    return run(process.execPath, node(script, args), options)
      .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }))
      .catch((error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        stdout: error.stdout,
        stderr: error.stderr,
      }))
  }
  const supervisor = () => {
    if (child === undefined) throw new Error('the platform was not started')
    return child
  }
  const status = async () => JSON.parse((await npm('local:status', ['--json'])).stdout) as PlatformStatus

  const platform: Platform = {
    directory,
    environment,
    supervisor,
    screen: () => printed,
    npm,
    status,
    start: async (args = []) => {
      printed = ''
      const startedAt = performance.now()
      // A process group of its own, so that a test can end the whole group at once.
      const started = spawn(process.execPath, node('start', args), { cwd: root, env: environment, detached: true })
      child = started
      started.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      started.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      await eventually(
        async () => {
          if (started.exitCode !== null) throw new Error(`npm start ended with ${started.exitCode}:\n${printed}`)
          if (!(await status()).ready) throw new Error(`not ready:\n${printed.slice(-2000)}`)
          if (!printed.includes('Try it')) throw new Error(`no closing screen:\n${printed.slice(-2000)}`)
        },
        { timeoutMs: 240_000, what: 'the platform is ready and says so' },
      )
      return performance.now() - startedAt
    },
    stop: async () => {
      const startedAt = performance.now()
      const ending = supervisor()
      if (ending.exitCode === null && ending.signalCode === null) {
        const ended = new Promise((resolve) => ending.once('exit', resolve))
        ending.kill('SIGTERM')
        await ended
      }
      return performance.now() - startedAt
    },
    pidOf: async (name) => {
      const part = (await status()).parts.find((candidate) => candidate.name === name)
      if (part?.pid === null || part?.pid === undefined) throw new Error(`${name} does not run`)
      return part.pid
    },
    token: async (role, user) => {
      const outcome = await npm('token', ['--role', role, ...(user === undefined ? [] : ['--user', user])])
      if (outcome.code !== 0) throw new Error(`no token: ${outcome.stderr}`)
      return outcome.stdout.trim()
    },
    api: async () => {
      const { api } = await status()
      if (api === null) throw new Error('the API does not run')
      return api
    },
    remove: async () => {
      if (child !== undefined) await platform.stop()
      await npm('local:stop')
      await rm(directory, { recursive: true, force: true })
    },
  }
  return platform
}
