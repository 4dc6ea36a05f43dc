import type { Exit } from './child-process.ts'
import type { RunningPart } from './running-part.ts'

/**
 * Starts a part again when it ends on its own.
 *
 * States: running → (the process ends) → waiting, for a time that doubles with each end in a row → starting → running.
 * A part that ran for a minute has recovered, and its next wait is short again. `stop` leads from every state to
 * stopped, and no start follows it. Only the exit callback and the timer move between the other states, never both at
 * once: a start that fails is an exit of its own, reported to nobody but this loop.
 */
export interface KeptPart {
  readonly part: RunningPart
  readonly restartCount: number
  /** False from its end until it is ready again. */
  readonly isUp: boolean
  stop(): Promise<void>
}

export interface KeepOptions {
  readonly log: (line: string) => void
  /** Called after each change of process or state. */
  readonly onChange: () => void
  readonly delayMsMin?: number
  readonly delayMsMax?: number
  /** After this long a part counts as recovered. */
  readonly recoveredAfterMs?: number
}

export function keepRunning(part: RunningPart, options: KeepOptions): KeptPart {
  const { delayMsMin = 250, delayMsMax = 30_000, recoveredAfterMs = 60_000 } = options
  let restartCount = 0
  let failuresInARow = 0
  let startedAtMs = performance.now()
  let isUp = true
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  let starting: Promise<void> | undefined

  const schedule = (reason: string): void => {
    if (isStopped) return
    if (performance.now() - startedAtMs >= recoveredAfterMs) failuresInARow = 0
    const delayMs = Math.min(delayMsMin * 2 ** failuresInARow, delayMsMax)
    failuresInARow++
    isUp = false
    options.log(`${reason}; starting it again in ${delayMs / 1000} s`)
    options.onChange()
    timer = setTimeout(() => {
      starting = start()
    }, delayMs)
  }
  const start = async (): Promise<void> => {
    restartCount++
    startedAtMs = performance.now()
    try {
      await part.restart()
      isUp = true
      options.log(`started again, process ${part.pid}`)
      options.onChange()
    } catch (error) {
      schedule(error instanceof Error ? error.message : String(error))
    }
  }
  part.onExit((exit, wasAskedFor) => {
    if (!wasAskedFor) schedule(`it ended on its own (${describeExit(exit)})`)
  })
  return {
    part,
    get restartCount() {
      return restartCount
    },
    get isUp() {
      return isUp
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await part.stop()
      await starting
      await part.stop()
    },
  }
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `code ${exit.code}` : `signal ${exit.signal}`
}
