/**
 * kafkajs's log lines, through our logger and at levels that mean something. kafkajs calls handled rebalances, retried
 * requests and topics that exist already an ERROR. Here nothing that the client goes on to handle is above `warn`, and
 * routine is `debug`; what cannot be handled reaches the caller as an error and is logged there, once.
 */
import type { Logger } from '@bellyfed/process'
import { type LogEntry, logLevel } from 'kafkajs'

const routine = [
  /rebalanc/i,
  /re-joining/i,
  /re-sync|resync/i,
  /^Response (Heartbeat|JoinGroup|SyncGroup|CreateTopics|FindCoordinator|GroupCoordinator|OffsetCommit|LeaveGroup)/,
  /^Response (Metadata|Fetch|ListOffsets|Produce|InitProducerId)/,
  /already exists/i,
  /Limiting retries for the idempotent producer/,
  /The coordinator is not aware of this member/,
]

/** The level that an entry of kafkajs gets in our log. */
export function levelOf(entry: LogEntry): 'warn' | 'debug' | 'trace' {
  if (entry.level === logLevel.DEBUG) return 'trace'
  if (entry.level === logLevel.INFO) return 'debug'
  const text = `${entry.log.message} ${String(entry.log.error ?? '')}`
  return routine.some((pattern) => pattern.test(text)) ? 'debug' : 'warn'
}

/** Writes one entry of kafkajs. */
export function writeEntry(log: Logger, entry: LogEntry): void {
  const { timestamp: _timestamp, message, logger: _logger, stack: _stack, ...facts } = entry.log
  log[levelOf(entry)]({ client: 'kafkajs', namespace: entry.namespace, ...facts }, message)
}
