import { readJson, writeWhole } from './layout.ts'
import type { ProcessIdentity } from './process-identity.ts'

/**
 * What runs, as the supervisor last wrote it; read by `status` and `stop`, and by the next start, which ends what a
 * killed run has left. Written before anything is waited for, so that no process of ours is missing from it for longer
 * than the moment between its start and the write.
 */
export interface PlatformState {
  readonly supervisor: ProcessIdentity
  readonly phase: Phase
  /** Base URL of the API, once it is known. */
  readonly api: string | undefined
  readonly parts: readonly PartState[]
  /** Processes that run to their end: fetching, deploying, importing. */
  readonly passing: readonly { readonly name: string; readonly process: ProcessIdentity }[]
}

/** `ready` is reached once, after the first import; `stopping` is the last. */
export type Phase = 'starting' | 'ready' | 'stopping'

export type PartKind = 'given' | 'process' | 'service'

export interface PartState {
  readonly name: string
  readonly kind: PartKind
  /** Undefined for a given part, and while a process is being started again. */
  readonly process: ProcessIdentity | undefined
  readonly port: number | undefined
  /** How to ask whether it works: see `probe.ts`. */
  readonly probe: Probe
  readonly restartCount: number
}

export type Probe =
  | { readonly kind: 'postgres' | 'kafka'; readonly host: string; readonly port: number }
  | { readonly kind: 'http'; readonly url: string }

/** The last state written, or undefined when there is none that can be read. */
export function readState(path: string): PlatformState | undefined {
  const value = readJson(path)
  return isState(value) ? value : undefined
}

export function writeState(path: string, state: PlatformState): void {
  writeWhole(path, `${JSON.stringify(state, undefined, 2)}\n`)
}

function isState(value: unknown): value is PlatformState {
  if (typeof value !== 'object' || value === null) return false
  const { supervisor, parts, passing } = value as Partial<PlatformState>
  return isIdentity(supervisor) && [parts, passing].every((list) => Array.isArray(list) && list.every(isPart))
}

/** What the clean-up relies on; whoever shows more copes with its absence. */
function isPart(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { name, process: identity } = value as Partial<PartState>
  return typeof name === 'string' && (identity === undefined || isIdentity(identity))
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startedAt } = value as Partial<ProcessIdentity>
  return Number.isInteger(pid) && (pid as number) > 1 && typeof startedAt === 'string' && startedAt !== ''
}
