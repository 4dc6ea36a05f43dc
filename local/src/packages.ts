import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseEnvironment, runToEnd } from './child-process.ts'
import { recordKafkaClasses, recordRegistryClasses } from './class-archives.ts'
import { waitForLock } from './lock.ts'
import { findJava, findMaven, type Java } from './prerequisites.ts'

/**
 * The package cache: Kafka's jars and the registry, fetched once through Maven, and for each a class data archive that
 * halves its start. Everything is made in a directory of its own and renamed to its final name when it is complete, so
 * that whatever is there is whole. A lock only keeps several processes from fetching the same twice.
 */
export interface PackagePaths {
  readonly java: Java
  readonly kafkaClassPath: string
  /** Class data archives; a Java that finds one unfit starts without it. */
  readonly kafkaArchive: string
  readonly registryDirectory: string
  readonly registryArchive: string
}

/** What is being prepared, for a progress line: `kafka: 12 files fetched`. */
export interface PrepareProgress {
  readonly part: 'kafka' | 'registry'
  readonly text: string
}

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url))
const kafkaPom = fileURLToPath(new URL('../pom.xml', import.meta.url))
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
// Later versions of this goal read the artifact's parent descriptor, which is not published; 2.8 takes the artifact alone.
const getArtifact = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:get'
const registryVersion = '3.0.9'
const registryArtifact = `io.apicurio:apicurio-registry-app:${registryVersion}:tar.gz:all`
const fetchTimeoutMs = 15 * 60_000
const fetchAttempts = 3

/** Where packages are kept: `.local/packages` of the project, or BELLYFED_PACKAGES_DIR, which clones may share. */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.BELLYFED_PACKAGES_DIR || join(projectDirectory, '.local', 'packages')
}

export interface PrepareOptions {
  readonly cacheDirectory: string
  readonly onProgress?: ((progress: PrepareProgress) => void) | undefined
  /**
   * Record a missing class data archive, which costs about as much as ten starts save. True by default; false where
   * the first start must be quick. An archive that is there is used in any case.
   */
  readonly recordArchives?: boolean | undefined
}

export type KafkaPackages = Pick<PackagePaths, 'java' | 'kafkaClassPath' | 'kafkaArchive'>
export type RegistryPackages = Pick<PackagePaths, 'java' | 'registryDirectory' | 'registryArchive'>

/** Fetches what is missing. Throws MissingPrerequisite without Java, or without Maven when something is missing. */
export async function preparePackages(options: PrepareOptions): Promise<PackagePaths> {
  const [kafka, registry] = await Promise.all([prepareKafka(options), prepareRegistry(options)])
  return { ...kafka, ...registry }
}

/** What Kafka needs alone. */
export async function prepareKafka(options: PrepareOptions): Promise<KafkaPackages> {
  const { java, cache, progress } = prepare(options)
  const name = `kafka-${createHash('sha256').update(readFileSync(kafkaPom)).digest('hex').slice(0, 12)}`
  const directory = join(cache, name)
  await once(directory, cache, name, 'kafka', progress, async (draft) => {
    const goal = [copyDependencies, '-f', kafkaPom, '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
    await runMaven('kafka', goal, draft, progress)
  })
  const kafkaClassPath = jarsOf(directory).join(':')
  const kafkaArchive = join(cache, `${name}-java-${java.version}.jsa`)
  if (options.recordArchives ?? true) {
    await once(kafkaArchive, cache, `${name}-archive`, 'kafka', progress, async (draft, file) => {
      progress({ part: 'kafka', text: 'preparing a faster start' })
      await recordKafkaClasses({ java, classPath: kafkaClassPath, workDirectory: draft, archive: file })
    })
  }
  return { java, kafkaClassPath, kafkaArchive }
}

/** What the registry needs alone. */
export async function prepareRegistry(options: PrepareOptions): Promise<RegistryPackages> {
  const { java, cache, progress } = prepare(options)
  const name = `registry-${registryVersion}`
  const registryDirectory = join(cache, name)
  await once(registryDirectory, cache, name, 'registry', progress, async (draft) => {
    const archive = join(draft, 'registry.tar.gz')
    const goal = [getArtifact, `-Dartifact=${registryArtifact}`, '-Dtransitive=false', `-Ddest=${archive}`]
    await runMaven('registry', goal, draft, progress)
    progress({ part: 'registry', text: 'unpacking' })
    await runToEnd(program('tar', ['xzf', archive, '-C', draft], draft), fetchTimeoutMs)
    rmSync(archive)
  })
  const registryArchive = join(cache, `${name}-java-${java.version}.jsa`)
  if (options.recordArchives ?? true) {
    await once(registryArchive, cache, `${name}-archive`, 'registry', progress, async (draft, file) => {
      progress({ part: 'registry', text: 'preparing a faster start' })
      await recordRegistryClasses({ java, directory: registryDirectory, workDirectory: draft, archive: file })
    })
  }
  return { java, registryDirectory, registryArchive }
}

type Progress = (progress: PrepareProgress) => void

function prepare(options: PrepareOptions): { java: Java; cache: string; progress: Progress } {
  const java = findJava()
  mkdirSync(options.cacheDirectory, { recursive: true })
  // The archives record the jars' absolute paths, so every way to the same cache must yield the same path.
  return { java, cache: realpathSync(options.cacheDirectory), progress: options.onProgress ?? (() => undefined) }
}

/**
 * Makes `target` unless it is there. `make` gets an empty draft directory, which becomes the target, or it writes the
 * file it is given as second argument, which then becomes the target instead.
 */
async function once(
  target: string,
  cache: string,
  name: string,
  part: PrepareProgress['part'],
  progress: Progress,
  make: (draft: string, file: string) => Promise<void>,
): Promise<void> {
  if (existsSync(target)) return
  const lock = await waitForLock(join(cache, `${name}.lock`), fetchTimeoutMs, () =>
    progress({ part, text: 'another process is preparing it; waiting' }),
  )
  const draftPrefix = `.${name}-draft-`
  // We hold the lock, so what a killed run left is nobody's.
  for (const left of readdirSync(cache).filter((entry) => entry.startsWith(draftPrefix))) {
    rmSync(join(cache, left), { recursive: true, force: true })
  }
  const draft = mkdtempSync(join(cache, draftPrefix))
  try {
    if (existsSync(target)) return
    const file = join(draft, 'file')
    await make(draft, file)
    if (existsSync(file)) renameSync(file, target)
    else {
      chmodSync(draft, 0o755)
      renameSync(draft, target)
    }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    lock.release()
  }
}

function jarsOf(directory: string): string[] {
  const jars = readdirSync(directory).filter((file) => file.endsWith('.jar'))
  return jars.sort().map((file) => join(directory, file))
}

async function runMaven(
  part: PrepareProgress['part'],
  args: readonly string[],
  workingDirectory: string,
  progress: Progress,
): Promise<void> {
  const maven = findMaven()
  progress({ part, text: 'fetching' })
  for (let attempt = 1; ; attempt++) {
    let fileCount = 0
    const onLine = (line: string): void => {
      const file = /^\[INFO\] Downloaded from \S+: \S+\/([^/ ]+) \(([^)]+)\)/.exec(line)
      if (file === null || !/\.(jar|gz)$/.test(file[1] as string)) return
      fileCount++
      progress({
        part,
        text: `fetched ${fileCount} ${fileCount === 1 ? 'file' : 'files'}, last ${file[1]} (${file[2]})`,
      })
    }
    try {
      // From the second attempt on `-U`: Maven remembers a failed look-up for a day otherwise.
      const options = attempt === 1 ? ['-B'] : ['-B', '-U']
      await runToEnd({ ...program(maven, [...options, ...args], workingDirectory), onLine }, fetchTimeoutMs)
      return
    } catch (error) {
      if (attempt >= fetchAttempts) throw error
      progress({ part, text: `fetching failed, trying again (${attempt + 1} of ${fetchAttempts})` })
    }
  }
}

function program(command: string, args: readonly string[], workingDirectory: string) {
  return { name: command, command, args, workingDirectory, environment: baseEnvironment() }
}
