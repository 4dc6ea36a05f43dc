/**
 * Checks of completeness and order. Each throws a message that names what is wrong; each is itself tested to fail,
 * because a check that cannot fail proves nothing.
 */

/** What is wrong with an order, in words. */
export class OrderViolation extends Error {
  override name = 'OrderViolation'
}

/** Throws unless `sequences` is exactly from, from + 1, from + 2 …, in this order: no gap, no repeat, no swap. */
export function expectNoGaps(sequences: readonly number[], { from = 1, of = 'sequence' } = {}): void {
  for (const [index, sequence] of sequences.entries()) {
    const due = from + index
    if (sequence !== due) {
      const around = sequences.slice(Math.max(0, index - 3), index + 4).join(', ')
      throw new OrderViolation(`${of}: ${due} was due at index ${index}, found ${sequence} (… ${around} …)`)
    }
  }
}

/**
 * Throws unless, for every key, the sequences come in `rows` as 1, 2, 3 … (or from `from`). Rows of different keys may
 * be interleaved in any way. Returns how many rows each key has.
 */
export function expectOrderPerKey<Row>(
  rows: Iterable<Row>,
  { key, sequence, from = 1 }: { key: (row: Row) => string; sequence: (row: Row) => number; from?: number },
): Map<string, number> {
  const perKey = Map.groupBy(rows, key)
  for (const [name, ofKey] of perKey) expectNoGaps(ofKey.map(sequence), { from, of: `key ${name}` })
  return new Map([...perKey].map(([name, ofKey]) => [name, ofKey.length]))
}

/** Throws unless `actual` holds exactly the ids of `expected`, each once, in any order. */
export function expectExactlyOnce(actual: Iterable<string>, expected: Iterable<string>): void {
  const due = new Set(expected)
  const seen = new Set<string>()
  const doubled: string[] = []
  const foreign: string[] = []
  for (const id of actual) {
    if (seen.has(id)) doubled.push(id)
    else if (!due.has(id)) foreign.push(id)
    seen.add(id)
  }
  const lost = [...due].filter((id) => !seen.has(id))
  if (lost.length + doubled.length + foreign.length === 0) return
  const counted = (word: string, ids: string[]) => `${ids.length} ${word}${ids.length > 0 ? ` (${ids[0]} …)` : ''}`
  throw new OrderViolation(
    `of ${due.size}: ${counted('lost', lost)}, ${counted('doubled', doubled)}, ${counted('foreign', foreign)}`,
  )
}
