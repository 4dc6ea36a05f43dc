import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** A command line that cannot be understood. The message says what was wrong; exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** The options of a command; unknown ones are refused, and so are words beyond `wordsMax`. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  wordsMax = 0,
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true }>>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error instanceof Error ? error.message : String(error)).split('. ')[0] ?? '')
  }
  const unexpected = parsed.positionals[wordsMax]
  if (unexpected !== undefined) throw new UsageError(`"${unexpected}" is not expected`)
  return { values: parsed.values, words: parsed.positionals }
}

/** A duration such as `90s`, `15m`, `12h`, `30d`, in seconds. */
export function readDurationSeconds(option: string, text: string): number {
  const match = /^(\d{1,9})(s|m|h|d)$/.exec(text)
  const seconds = match === null ? 0 : Number(match[1]) * (unitSeconds[match[2] as string] ?? 0)
  if (seconds < 1 || seconds > durationSecondsMax) {
    throw new UsageError(`${option} ${text} is not a duration from 1s to 365d, such as 15m, 12h or 30d`)
  }
  return seconds
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const durationSecondsMax = 365 * 86_400
