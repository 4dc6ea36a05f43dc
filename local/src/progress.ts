/**
 * The lines a person sees during a start: `  kafka  fetched 12 files`. Fetching reports many times a second; on a
 * terminal such a line replaces the one before of the same part, elsewhere at most one a second is printed.
 */
export function createTeller(
  output: NodeJS.WriteStream,
  log: (name: string, text: string) => void,
  nowMs: () => number = () => performance.now(),
): (name: string, text: string) => void {
  const toldAtMs = new Map<string, number>()
  let fleeting: string | undefined
  return (name, text) => {
    log(name, text)
    const isFleeting = /^fetched /.test(text)
    if (isFleeting && nowMs() - (toldAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < intervalMs) return
    toldAtMs.set(name, nowMs())
    const replaces = output.isTTY && fleeting === name
    output.write(`${replaces ? '\x1b[1A\x1b[2K' : ''}  ${name.padEnd(nameWidth)} ${text}\n`)
    fleeting = isFleeting ? name : undefined
  }
}

const intervalMs = 1_000
const nameWidth = 18
