import { createLogger, type Logger } from '@bellyfed/process'

/** A logger that says nothing. */
export const silentLogger: Logger = createLogger({ service: 'test', level: 'silent' })

/** One line that was logged: its members as the logger wrote them. */
export interface LogLine {
  level: string
  message?: string
  [member: string]: unknown
}

/** A logger that keeps its lines, for tests about what is logged. */
export function recordingLogger(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) }
  return { log: createLogger({ service: 'test', level: 'trace', destination }), lines }
}
