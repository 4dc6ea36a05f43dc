/** What a part says about its own progress. */
export interface Liveness {
  readonly live: boolean
  readonly reason?: string
}

/**
 * A piece of a process with a life of its own: a pool, a consumer, a server.
 *
 * `start` resolves when the part works, and leaves nothing behind when it throws. `stop` resolves when nothing of the
 * part runs any more; a second call does no harm, and neither does one while `start` is still under way.
 */
export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
  /** Readiness: throws when the part cannot serve now, for instance because its database is away. */
  check?(): Promise<void>
  /** Liveness is progress. A dependency that is away makes a part unready, never dead. */
  isLive?(): Liveness
  /** Called once before `start`. The part calls `report` when it cannot go on; the process then stops in order. */
  onFault?(report: (fault: Error) => void): void
}

/** Where a part is in its life, as `run` sees it. */
export type PartState = 'waiting' | 'starting' | 'running' | 'stopping' | 'stopped'

const states = new WeakMap<Part, PartState>()

/** Set by `run` alone. */
export function setPartState(part: Part, state: PartState): void {
  states.set(part, state)
}

/** The state of a part under `run`; a part that nobody runs that way (in a test) counts as running. */
export function partState(part: Part): PartState {
  return states.get(part) ?? 'running'
}
