import { logsCommand } from './commands/logs.ts'
import { resetCommand } from './commands/reset.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { stopCommand } from './commands/stop.ts'
import { tokenCommand } from './commands/token.ts'

export interface Command {
  readonly summary: string
  readonly help: string
  /** Resolves to the exit status. */
  run(args: readonly string[]): Promise<number>
}

export const commands: ReadonlyMap<string, Command> = new Map([
  ['start', startCommand],
  ['status', statusCommand],
  ['stop', stopCommand],
  ['reset', resetCommand],
  ['logs', logsCommand],
  ['token', tokenCommand],
])
