/**
 * Tells how far the import is: a bar that is redrawn on a terminal, a line every few seconds elsewhere. It writes to
 * standard error, so that standard output has nothing but the report.
 */
export interface Progress {
  /** Begins a phase; `total` is undefined where it is not known before. */
  begin(what: string, total?: number): void
  /** Goes on by so many. */
  advance(by: number): void
  /** Ends the phase that was begun. */
  end(): void
}

export interface ProgressSink {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export const silentProgress: Progress = { begin: () => undefined, advance: () => undefined, end: () => undefined }

const redrawMsMin = 100
const lineMsMin = 2_000
const barWidth = 24

export function createProgress(sink: ProgressSink, now: () => number = () => performance.now()): Progress {
  const isTerminal = sink.isTTY === true
  let what = ''
  let total: number | undefined
  let done = 0
  let begunAtMs = 0
  let shownAtMs = 0
  const show = (isLast: boolean): void => {
    shownAtMs = now()
    const text = progressText({ what, done, total, elapsedMs: shownAtMs - begunAtMs, hasBar: isTerminal })
    if (!isTerminal) sink.write(`${text}\n`)
    else sink.write(`\r\x1b[2K${text.slice(0, (sink.columns ?? 80) - 1)}${isLast ? '\n' : ''}`)
  }
  return {
    begin(nextWhat, nextTotal) {
      what = nextWhat
      total = nextTotal
      done = 0
      begunAtMs = shownAtMs = now()
    },
    advance(by) {
      done += by
      if (now() - shownAtMs >= (isTerminal ? redrawMsMin : lineMsMin)) show(false)
    },
    end: () => show(true),
  }
}

interface Standing {
  readonly what: string
  readonly done: number
  readonly total: number | undefined
  readonly elapsedMs: number
  readonly hasBar: boolean
}

export function progressText({ what, done, total, elapsedMs, hasBar }: Standing): string {
  const perSecond = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0
  const rate = `${number(perSecond)}/s`
  if (total === undefined) return `${what}: ${number(done)}, ${rate}`
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * barWidth)
  const bar = hasBar ? `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ` : ''
  const secondsLeft = perSecond > 0 && done < total ? `, ${number((total - done) / perSecond)} s left` : ''
  return `${what}: ${bar}${Math.floor(share * 100)} % ${number(done)}/${number(total)}, ${rate}${secondsLeft}`
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en')
}
