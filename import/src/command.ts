/** The command `import`: settings in, report out, exit status back. */
import { writeFileSync } from 'node:fs'
import { help, readConfig } from './config.ts'
import { ImportError, messageOf } from './import-error.ts'
import { importFile } from './import-file.ts'
import { createProgress, type ProgressSink } from './progress.ts'
import { describeReport, type ImportReport, rejectsAsNdjson } from './report.ts'

export interface CommandSurroundings {
  readonly environment: NodeJS.ProcessEnv
  readonly stdout: { write(text: string): unknown }
  readonly stderr: ProgressSink
  /** Aborted when the import is to end early and tell how far it came. */
  readonly signal: AbortSignal
}

/** Resolves to the exit status: 0 finished, 1 nothing was sent, 2 stopped on the way. */
export async function runCommand(args: readonly string[], surroundings: CommandSurroundings): Promise<0 | 1 | 2> {
  const { stdout, stderr, environment, signal } = surroundings
  try {
    const config = readConfig(args, environment)
    if (config === 'help') {
      stdout.write(`${help}\n`)
      return 0
    }
    if (config.rejectsFile !== undefined) writeRejects(config.rejectsFile, '') // before anything is sent: it must be writable
    const report = await importFile({ ...config, progress: createProgress(stderr), signal })
    if (config.rejectsFile !== undefined) writeRejects(config.rejectsFile, rejectsAsNdjson(report.rejectedRows))
    stdout.write(config.isJson ? `${JSON.stringify(report)}\n` : `${describeReport(report, config)}\n`)
    return exitStatusOf(report)
  } catch (error) {
    stderr.write(`${error instanceof ImportError ? error.message : unexpected(error)}\n`)
    return error instanceof ImportError && error.code !== 'stopped' ? 1 : 2
  }
}

function exitStatusOf(report: ImportReport): 0 | 2 {
  return report.isFinished || report.isDryRun ? 0 : 2
}

function writeRejects(path: string, content: string): void {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new ImportError('usage', `--rejects ${path} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}

function unexpected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
