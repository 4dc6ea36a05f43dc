/**
 * The life of a process.
 *
 *   starting ──all parts started──▶ running ──signal or fault──▶ stopping ──▶ exit
 *       └────────────start failed, signal or fault────────────────▲
 *
 * Parts start one after another and stop in reverse, each exactly once. A signal (SIGTERM, SIGINT) asks for the stop
 * and gives exit code 0; a start that failed, a part's fault or a stop that failed gives 1. Signals that come during
 * the stop change nothing: a terminal sends Ctrl-C to the whole group and a parent passes it on, so two are normal.
 * A stop that takes longer than its timeout ends the process with 1 and names the part that hangs.
 * An uncaught exception or an unhandled rejection means that the state is not known any more: it is logged and the
 * process ends at once with 1. Nothing is lost by that, since no guarantee of ours rests on an orderly stop.
 */
import type { Logger } from './logger.ts'
import { assertNodeVersion } from './node-version.ts'
import { type Part, setPartState } from './part.ts'

/** How `run` behaves. */
export interface RunOptions {
  readonly log: Logger
  /** Longest time for all parts to stop together; 15 s by default. */
  readonly stopTimeoutMs?: number
  /** Ends the process; `process.exit` by default. */
  readonly exit?: (code: number) => void
}

const stopTimeoutMsDefault = 15_000
const signals = ['SIGTERM', 'SIGINT'] as const

type Ending = { why: 'signal'; signal: NodeJS.Signals } | { why: 'fault'; part: string; fault: Error }

/** Starts the parts in order and returns when they have stopped again; then the process exits. */
export async function run(parts: readonly Part[], options: RunOptions): Promise<void> {
  const { log } = options
  const exit = options.exit ?? ((code: number) => process.exit(code))
  const ending = Promise.withResolvers<Ending>()
  const release = listen(ending.resolve, log, exit)
  let isEnding = false
  void ending.promise.then(() => {
    isEnding = true
  })
  for (const part of parts) {
    setPartState(part, 'waiting')
    part.onFault?.((fault) => ending.resolve({ why: 'fault', part: part.name, fault }))
  }

  const started: Part[] = []
  let exitCode = 0
  try {
    assertNodeVersion()
    await startAll(parts, started, log, { ended: ending.promise, isEnding: () => isEnding })
    if (!isEnding) log.info({ parts: parts.map((part) => part.name) }, 'started')
    exitCode = announce(await ending.promise, log)
  } catch (fault) {
    log.fatal({ err: fault }, 'start failed')
    exitCode = 1
  }
  const stoppedCleanly = await stopAll(started, log, options.stopTimeoutMs ?? stopTimeoutMsDefault)
  release()
  log.info({ exitCode: stoppedCleanly ? exitCode : 1 }, 'stopped')
  exit(stoppedCleanly ? exitCode : 1)
}

function listen(end: (ending: Ending) => void, log: Logger, exit: (code: number) => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => end({ why: 'signal', signal })
  const onUncaught = (fault: unknown): void => {
    log.fatal({ err: fault }, 'uncaught exception')
    exit(1)
  }
  const onUnhandled = (fault: unknown): void => {
    log.fatal({ err: fault }, 'unhandled rejection')
    exit(1)
  }
  for (const signal of signals) process.on(signal, onSignal)
  process.on('uncaughtException', onUncaught)
  process.on('unhandledRejection', onUnhandled)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    process.off('uncaughtException', onUncaught)
    process.off('unhandledRejection', onUnhandled)
  }
}

async function startAll(
  parts: readonly Part[],
  started: Part[],
  log: Logger,
  ending: { ended: Promise<Ending>; isEnding: () => boolean },
): Promise<void> {
  for (const part of parts) {
    if (ending.isEnding()) return
    setPartState(part, 'starting')
    const starting = part.start().then(() => true)
    // A start that waits for an absent dependency must not keep a stop waiting; what it had begun, its stop ends.
    const finished = await Promise.race([starting, ending.ended.then(() => false)])
    started.push(part)
    if (!finished) {
      starting.catch((fault: unknown) => log.warn({ part: part.name, err: fault }, 'start given up'))
      return
    }
    setPartState(part, 'running')
    log.debug({ part: part.name }, 'part started')
  }
}

function announce(ending: Ending, log: Logger): number {
  if (ending.why === 'signal') {
    log.info({ signal: ending.signal }, 'stopping')
    return 0
  }
  log.fatal({ part: ending.part, err: ending.fault }, 'a part cannot go on')
  return 1
}

async function stopAll(started: readonly Part[], log: Logger, timeoutMs: number): Promise<boolean> {
  for (const part of started) setPartState(part, 'stopping')
  const deadline = Promise.withResolvers<'timeout'>()
  const timer = setTimeout(() => deadline.resolve('timeout'), timeoutMs)
  let clean = true
  for (const part of started.toReversed()) {
    const outcome = await Promise.race([stopOne(part, log), deadline.promise])
    if (outcome === 'timeout') {
      log.fatal({ part: part.name, timeoutMs }, 'stop timed out')
      clean = false
      break
    }
    clean = outcome && clean
  }
  clearTimeout(timer)
  return clean
}

async function stopOne(part: Part, log: Logger): Promise<boolean> {
  try {
    await part.stop()
    setPartState(part, 'stopped')
    log.debug({ part: part.name }, 'part stopped')
    return true
  } catch (fault) {
    log.error({ part: part.name, err: fault }, 'stop failed')
    return false
  }
}
