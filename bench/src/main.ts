import { readArguments, usage } from './arguments.ts'
import { type BarResult, measure } from './bar.ts'
import { bars } from './bars.ts'
import { createParts } from './parts.ts'
import { table } from './report.ts'

async function main(argv: readonly string[]): Promise<number> {
  const names = bars.map((bar) => bar.name)
  let wanted: ReturnType<typeof readArguments>
  try {
    wanted = readArguments(argv, names)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  if (wanted.help) {
    process.stdout.write(usage)
    return 0
  }
  if (wanted.list) {
    for (const bar of bars) process.stdout.write(`${bar.name}\t${bar.unit}\t${JSON.stringify(bar.floor)}\n`)
    return 0
  }
  const chosen = bars.filter((bar) => wanted.names.length === 0 || wanted.names.includes(bar.name))
  const parts = createParts()
  const results: BarResult[] = []
  try {
    for (const bar of chosen) {
      process.stderr.write(`measuring ${bar.name}: ${wanted.rounds} round(s) of ours, limit and naive\n`)
      const result = await measure(bar, { quick: wanted.quick, parts: parts.parts }, wanted.rounds)
      results.push(result)
      if (wanted.json) process.stdout.write(`${JSON.stringify(result)}\n`)
    }
  } catch (error) {
    process.stderr.write(
      `could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return 3
  } finally {
    await parts.stop()
  }
  if (!wanted.json) process.stdout.write(`\n${table(results)}\n`)
  return wanted.quick || results.every((result) => result.holds) ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
