/**
 * A bar is one speed figure of the platform, always told as a ratio.
 *
 * Three ways of doing the same work take turns within one run, on the same broker and database: *ours*, the *limit* (the
 * cheapest thing that could possibly do the work: the same bytes or statements with everything else removed) and the
 * *naive* way (what one writes first). Absolute figures drift with the machine; the ratio of two neighbours in time does
 * not. So each round measures all three, and the bar is the median of the rounds' ratios.
 */
export interface Bar {
  readonly name: string
  /** What the three figures count, for example `records/s`. */
  readonly unit: string
  /** Set for times: the ratios are turned over, so that a higher ratio is better for every bar. */
  readonly isLowerBetter?: boolean
  readonly floor: Floor
  /** Sets up what the rounds share. `quick` asks for the smallest input that still means something. */
  prepare(context: BenchContext): Promise<PreparedBar>
}

/** The least ratios at which the bar holds. An absent one is reported but not judged. */
export interface Floor {
  readonly ratioToLimit?: number
  readonly ratioToNaive?: number
}

export interface BenchContext {
  readonly quick: boolean
  /** The running parts; started on first use, because `decode` needs none. */
  parts(): Promise<BenchParts>
}

export interface BenchParts {
  readonly ownerUrl: string
  readonly brokers: readonly string[]
  readonly registryUrl: string
}

export interface PreparedBar {
  /** Each runs one round and returns its figure in the bar's unit. */
  ours(round: number): Promise<number>
  limit(round: number): Promise<number>
  naive(round: number): Promise<number>
  /** Further figures worth printing beside the bar, such as latency quantiles. */
  details?(): Record<string, number>
  close(): Promise<void>
}

/** One line of the report. Figures are medians over the rounds; ratios are medians of the rounds' own ratios. */
export interface BarResult {
  readonly bar: string
  readonly unit: string
  readonly ours: number
  readonly limit: number
  readonly naive: number
  readonly ratioToLimit: number
  readonly ratioToNaive: number
  readonly floor: Floor
  readonly holds: boolean
  readonly rounds: number
  readonly details?: Record<string, number>
}

export interface Round {
  readonly ours: number
  readonly limit: number
  readonly naive: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle]
  if (upper === undefined || lower === undefined) throw new RangeError('median of no values')
  return (upper + lower) / 2
}

/** The value below which `share` of the values lie (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]
  if (value === undefined) throw new RangeError('quantile of no values')
  return value
}

export function judge(
  bar: Pick<Bar, 'name' | 'unit' | 'floor' | 'isLowerBetter'>,
  rounds: readonly Round[],
): BarResult {
  const ratio = (ours: number, other: number) => (bar.isLowerBetter ? other / ours : ours / other)
  const ratioToLimit = median(rounds.map((round) => ratio(round.ours, round.limit)))
  const ratioToNaive = median(rounds.map((round) => ratio(round.ours, round.naive)))
  return {
    bar: bar.name,
    unit: bar.unit,
    ours: median(rounds.map((round) => round.ours)),
    limit: median(rounds.map((round) => round.limit)),
    naive: median(rounds.map((round) => round.naive)),
    ratioToLimit,
    ratioToNaive,
    floor: bar.floor,
    holds: ratioToLimit >= (bar.floor.ratioToLimit ?? 0) && ratioToNaive >= (bar.floor.ratioToNaive ?? 0),
    rounds: rounds.length,
  }
}

/** Runs the rounds, the three ways in turn; the order rotates so that none always follows the same neighbour. */
export async function measure(bar: Bar, context: BenchContext, roundCount: number): Promise<BarResult> {
  const prepared = await bar.prepare(context)
  try {
    const rounds: Round[] = []
    // One uncounted round first: it compiles code, prepares statements and warms caches for all three.
    for (let round = -1; round < roundCount; round += 1) {
      const figures = { ours: 0, limit: 0, naive: 0 }
      for (let turn = 0; turn < 3; turn += 1) {
        const way = (['ours', 'limit', 'naive'] as const)[(round + 1 + turn) % 3] ?? 'ours'
        figures[way] = await prepared[way](round)
      }
      if (round >= 0) rounds.push(figures)
    }
    const details = prepared.details?.()
    return details === undefined ? judge(bar, rounds) : { ...judge(bar, rounds), details }
  } finally {
    await prepared.close()
  }
}
