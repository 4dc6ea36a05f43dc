import { hostname } from 'node:os'
import { type DestinationStream, type Logger, pino } from 'pino'
import { redactText } from './redaction.ts'
import { currentTrace } from './trace.ts'

export type { Logger } from 'pino'

/** The levels that LOG_LEVEL may have. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Options of a process's logger. */
export interface LoggerOptions {
  readonly service: string
  readonly level?: LogLevel
  /** Which of several processes of the service this is; host name and process id by default. */
  readonly instance?: string
  /** Where lines go; standard output by default. */
  readonly destination?: DestinationStream
}

/**
 * A logger of JSON lines: time in ISO form, level as a word, service, instance, and the trace of the work at hand.
 * Passwords in URLs, tokens and members with secret names are masked in every line, wherever they stand.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, instance: options.instance ?? `${hostname()}-${process.pid}` },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: traceFields,
      hooks: { streamWrite: redactText },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  )
}

function traceFields(): object {
  const trace = currentTrace()
  return trace === undefined ? {} : { traceId: trace.traceId }
}
