import type { BarResult } from './bar.ts'

const figure = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3))
const ratio = (value: number, floor: number | undefined) =>
  `${value.toFixed(2)}${floor === undefined ? '' : ` (≥ ${floor.toFixed(2)})`}`

/** The table for people. */
export function table(results: readonly BarResult[]): string {
  const rows = results.map((result) => [
    result.bar,
    result.unit,
    figure(result.ours),
    figure(result.limit),
    figure(result.naive),
    ratio(result.ratioToLimit, result.floor.ratioToLimit),
    ratio(result.ratioToNaive, result.floor.ratioToNaive),
    result.holds ? 'holds' : 'FALLS SHORT',
  ])
  const head = ['bar', 'unit', 'ours', 'limit', 'naive', 'ours/limit', 'ours/naive', '']
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const details = results.flatMap((result) =>
    Object.entries(result.details ?? {}).map(([name, value]) => `  ${result.bar}: ${name} = ${figure(value)}`),
  )
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line), ...details].join('\n')
}
