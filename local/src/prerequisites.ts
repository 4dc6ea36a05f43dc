import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findOnPath } from './child-process.ts'

/** Something the machine lacks. The message is one sentence that says what to install. */
export class MissingPrerequisite extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MissingPrerequisite'
  }
}

export interface Java {
  readonly executable: string
  /** As the runtime names itself, e.g. `17.0.15`. */
  readonly version: string
}

const javaMajorMin = 17
const nodeMajor = 24
const installJava =
  'install a Java runtime, version 17 or newer (Debian: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17)'

/** The Java runtime that starts Kafka and the registry: the one of JAVA_HOME, else the first on the PATH. */
export function findJava(environment: NodeJS.ProcessEnv = process.env): Java {
  const executable =
    environment.JAVA_HOME === undefined ? findOnPath('java') : join(environment.JAVA_HOME, 'bin', 'java')
  const version = executable === undefined ? undefined : javaVersion(executable)
  const fault = javaFault(executable, version)
  if (fault !== undefined) throw new MissingPrerequisite(fault)
  return { executable: executable as string, version: version as string }
}

/** The sentence about a missing or too old Java, or undefined when it will do. */
export function javaFault(executable: string | undefined, version: string | undefined): string | undefined {
  if (executable === undefined) return `Java was not found: ${installJava}.`
  if (version === undefined) return `${executable} could not be run: ${installJava}.`
  if (majorOf(version) < javaMajorMin) return `Java ${version} at ${executable} is too old: ${installJava}.`
  return undefined
}

/** The Maven that fetches Kafka and the registry; asked for only when something has to be fetched. */
export function findMaven(): string {
  const executable = findOnPath('mvn')
  if (executable === undefined) {
    throw new MissingPrerequisite(
      'Maven was not found and Kafka and the registry have to be fetched once: install Maven 3.8 or newer (Debian: apt install maven; macOS: brew install maven).',
    )
  }
  return executable
}

/** The sentence about an unfit Node or operating system, or undefined. */
export function runtimeFault(nodeVersion: string, platform: string): string | undefined {
  const major = Number(nodeVersion.replace(/^v/, '').split('.')[0])
  if (major !== nodeMajor) {
    return `Node ${nodeVersion} runs this, but version ${nodeMajor} is needed: use the npm scripts after npm ci, which brings it along.`
  }
  if (platform !== 'linux' && platform !== 'darwin') {
    return `The embedded platform runs on Linux and macOS, not on ${platform}: install one of them, for example in WSL 2.`
  }
  return undefined
}

/** `1.8.0_292` is 8, `17.0.15` is 17. */
export function majorOf(version: string): number {
  const parts = version.split(/[._+-]/).map(Number)
  return (parts[0] === 1 ? parts[1] : parts[0]) ?? 0
}

function javaVersion(executable: string): string | undefined {
  try {
    // The `release` file beside the runtime saves starting a virtual machine only to ask for its version.
    const home = dirname(dirname(realpathSync(executable)))
    const version = /^JAVA_VERSION="([^"]+)"/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1]
    if (version !== undefined) return version
  } catch {
    // A launcher elsewhere than its runtime, as on macOS: ask it.
  }
  try {
    const text = execFileSync(executable, ['-XshowSettings:properties', '-version'], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 20_000,
    })
    return /java\.version = (\S+)/.exec(text)?.[1] ?? versionOnStderr(executable)
  } catch {
    return undefined
  }
}

function versionOnStderr(executable: string): string | undefined {
  // `--version` prints to the standard output and exists from Java 9 on; older ones fail and are too old anyway.
  const text = execFileSync(executable, ['--version'], { encoding: 'utf8', stdio: 'pipe', timeout: 20_000 })
  return /(\d+[\d._]*)/.exec(text)?.[1]
}
