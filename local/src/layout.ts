import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the embedded platform keeps what. Everything below one directory, `.local` of the project by default. */
export interface Layout {
  readonly project: string
  readonly directory: string
  /** Data of one part: `postgres`, `kafka`, `registry`. */
  partDirectory(name: string): string
  readonly logs: string
  readonly lock: string
  readonly state: string
  readonly ports: string
  readonly secrets: string
  readonly privateKey: string
  readonly publicKeys: string
  /** The rows that an import refused, one file each. */
  readonly imports: string
  /** There once the bundled ratings have been imported. */
  readonly imported: string
}

/** The layout of this project; BELLYFED_LOCAL_DIR moves it elsewhere. */
export function layoutOf(environment: NodeJS.ProcessEnv = process.env): Layout {
  const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
  const directory = resolve(environment.BELLYFED_LOCAL_DIR || join(project, '.local'))
  return {
    project,
    directory,
    partDirectory: (name) => join(directory, name),
    logs: join(directory, 'logs'),
    lock: join(directory, 'supervisor.lock'),
    state: join(directory, 'state.json'),
    ports: join(directory, 'ports.json'),
    secrets: join(directory, 'secrets.json'),
    privateKey: join(directory, 'keys', 'private.jwk'),
    publicKeys: join(directory, 'keys', 'jwks.json'),
    imports: join(directory, 'imports'),
    imported: join(directory, 'imported.json'),
  }
}

/** What `local:reset` removes: all that the platform has made, one by one; the package cache is not among it. */
export function dataOf(layout: Layout): string[] {
  const parts = ['postgres', 'kafka', 'registry'].map((name) => layout.partDirectory(name))
  const { logs, state, ports, secrets, privateKey, imports, imported } = layout
  return [
    ...parts,
    join(layout.directory, 'compile-cache'),
    logs,
    state,
    ports,
    secrets,
    dirname(privateKey),
    imports,
    imported,
  ]
}

/** The JSON value of a file, or undefined when there is none or it is not JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Replaces a file as a whole: a reader sees the old content or the new one. */
export function writeWhole(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.draft`
  writeFileSync(draft, content, { mode })
  renameSync(draft, path)
}
