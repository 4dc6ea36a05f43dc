import { isAlive, type ProcessIdentity, signalIfAlive, waitUntilGone } from './process-identity.ts'
import type { PlatformState } from './state-file.ts'

/**
 * Processes of a run whose supervisor is gone. Each is remembered with the time it started; one whose time differs is
 * somebody else's who got the pid since, and is left alone.
 */
export interface Leftover {
  readonly name: string
  readonly identity: ProcessIdentity
}

const stopTimeoutMs = 5_000

/** What still lives of a recorded run, in the order in which it should end: services before the parts they use. */
export function leftoversOf(state: PlatformState | undefined): Leftover[] {
  if (state === undefined) return []
  return [...state.parts, ...state.passing]
    .reverse()
    .flatMap((part) => (part.process === undefined ? [] : [{ name: part.name, identity: part.process }]))
    .filter((leftover) => isAlive(leftover.identity))
}

/** Stops each leftover, and ends it when it does not stop. Returns those that were ended. */
export async function endLeftovers(leftovers: readonly Leftover[]): Promise<readonly Leftover[]> {
  for (const { name, identity } of leftovers) {
    // A frozen process takes no SIGTERM before it goes on.
    signalIfAlive(identity, 'SIGCONT')
    // PostgreSQL waits for its clients on SIGTERM.
    signalIfAlive(identity, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
    if (await waitUntilGone(identity, stopTimeoutMs)) continue
    signalIfAlive(identity, 'SIGKILL')
    if (!(await waitUntilGone(identity, stopTimeoutMs))) {
      throw new Error(`${name} (process ${identity.pid}) of an earlier run does not end.`)
    }
  }
  return leftovers
}
