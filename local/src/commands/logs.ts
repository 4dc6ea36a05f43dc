import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { layoutOf } from '../layout.ts'
import { logFile, platformLog } from '../log-book.ts'

const help = `Prints the logs of all processes in the order in which they came, or those of one.

  npm run local:logs [-- <name>] [--lines <n>] [--follow]

  <name>        one process, as it printed them: postgres, kafka, registry, ranking-api, …
  --lines <n>   the last n lines, 200 by default
  --follow      go on with what comes`

const followIntervalMs = 200
const linesMax = 1_000_000

export const logsCommand: Command = {
  summary: 'prints the logs of all processes, or of one',
  help,
  async run(args) {
    const { values, words } = readArguments(
      args,
      { follow: { type: 'boolean' }, lines: { type: 'string', default: '200' } },
      1,
    )
    const lineCount = /^\d+$/.test(values.lines) ? Number(values.lines) : -1
    if (lineCount < 0 || lineCount > linesMax)
      throw new UsageError(`--lines ${values.lines} is not a number from 0 to ${linesMax}`)
    const directory = layoutOf().logs
    const path = logFile(directory, words[0] ?? platformLog)
    if (!existsSync(path)) throw new UsageError(missing(directory, words[0]))
    const size = printLastLines(path, lineCount)
    if (values.follow === true) await follow(path, size)
    return 0
  },
}

function missing(directory: string, name: string | undefined): string {
  if (name === undefined || !existsSync(directory)) return 'There are no logs yet: npm start'
  const known = readdirSync(directory).flatMap((file) => (file.endsWith('.log') ? [file.slice(0, -'.log'.length)] : []))
  return `There is no log of "${name}"; there are ${known.join(', ')}`
}

/** Prints the end of a file and returns the position behind it. */
function printLastLines(path: string, lineCount: number): number {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    let text = ''
    let start = size
    while (start > 0 && text.split('\n').length <= lineCount + 1) {
      const length = Math.min(blockBytes, start)
      start -= length
      text = readBlock(file, start, length).toString('latin1') + text
    }
    const lines = text.split('\n')
    const last = lines.slice(Math.max(0, lines.length - 1 - lineCount)).join('\n')
    process.stdout.write(Buffer.from(last, 'latin1'))
    return size
  } finally {
    closeSync(file)
  }
}

const blockBytes = 256 * 1024

function readBlock(file: number, position: number, length: number): Buffer {
  const block = Buffer.alloc(length)
  return block.subarray(0, readSync(file, block, 0, length, position))
}

/** Prints what is appended until interrupted; a file that was replaced by a new one is read from its beginning. */
async function follow(path: string, from: number): Promise<void> {
  let isInterrupted = false
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      isInterrupted = true
    })
  let position = from
  while (!isInterrupted) {
    const size = existsSync(path) ? statSync(path).size : 0
    if (size < position) position = 0
    if (size > position) {
      const file = openSync(path, 'r')
      const block = readBlock(file, position, Math.min(size - position, blockBytes))
      closeSync(file)
      process.stdout.write(block)
      position += block.length
    } else await new Promise((resolve) => setTimeout(resolve, followIntervalMs))
  }
}
