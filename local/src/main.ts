/** Entry point of `npm start`, `npm run local:…` and `npm run token`: one subcommand each. */
import { UsageError } from './arguments.ts'
import { type Command, commands } from './commands.ts'
import { MissingPrerequisite, runtimeFault } from './prerequisites.ts'

async function main(args: readonly string[]): Promise<number> {
  const fault = runtimeFault(process.version, process.platform)
  if (fault !== undefined) throw new MissingPrerequisite(fault)
  const [name, ...rest] = args
  if (name === undefined || name === '--help') {
    print(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.get(name)
  if (command === undefined) throw new UsageError(`"${name}" is not one of ${[...commands.keys()].join(', ')}`)
  if (rest.includes('--help')) {
    print(command.help)
    return 0
  }
  return command.run(rest)
}

function overview(): string {
  const lines = [...commands].map(([name, command]: [string, Command]) => `  ${name.padEnd(8)} ${command.summary}`)
  return `The embedded platform.\n\n${lines.join('\n')}\n\nEach takes --help.`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

// Output into a pipe whose reader has left must not end the platform.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isOurs = error instanceof UsageError || error instanceof MissingPrerequisite
  const text = error instanceof Error ? (isOurs ? error.message : (error.stack ?? error.message)) : String(error)
  process.stderr.write(`${text}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
