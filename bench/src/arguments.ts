import { parseArgs } from 'node:util'

export const usage = `Usage: npm run bench [-- options] [bar ...]

Measures the speed bars: each as a ratio to a limit and to the naive way, all three taking turns in one run.

  --json        one JSON line a bar on standard output (progress goes to standard error)
  --quick       one short round of each bar: shows that it still runs, judges nothing
  --rounds <n>  counted rounds, after one that warms up (default 5, at least 1)
  --list        name the bars and their floors
  --help        this text

Exit status: 0 all bars hold (or --quick), 1 a bar fell short, 2 wrong arguments, 3 a bar could not be measured.
`

export interface BenchArguments {
  readonly json: boolean
  readonly quick: boolean
  readonly list: boolean
  readonly help: boolean
  readonly rounds: number
  readonly names: readonly string[]
}

/** @throws {RangeError} with one sentence that names the wrong argument and what is allowed. */
export function readArguments(argv: readonly string[], barNames: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      rounds: { type: 'string' },
    },
  })
  const unknown = positionals.find((name) => !barNames.includes(name))
  if (unknown !== undefined) throw new RangeError(`there is no bar "${unknown}"; the bars are ${barNames.join(', ')}`)
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new RangeError(`--rounds is "${values.rounds}", but must be a whole number from 1 to 100`)
  }
  return { json: values.json, quick: values.quick, list: values.list, help: values.help, rounds, names: positionals }
}
