export {
  ConfigError,
  type ConfigFault,
  type ConfigOf,
  describeSettings,
  env,
  readConfig,
  type Setting,
  type Spec,
  settingsOf,
} from './config.ts'
export { type RunOptions, run } from './lifecycle.ts'
export { createLogger, type Logger, type LoggerOptions, type LogLevel, logLevels } from './logger.ts'
export { type Counter, createMetrics, type Gauge, type Histogram, type Instruments, type Metrics } from './metrics.ts'
export { catalogue as metricsCatalogue } from './metrics-catalogue.ts'
export { assertNodeVersion, nodeMajor } from './node-version.ts'
export { createOperationsServer, type OperationsOptions, type OperationsServer } from './operations-server.ts'
export type { Liveness, Part, PartState } from './part.ts'
export { redactText } from './redaction.ts'
export {
  choice,
  durationMs,
  flag,
  integer,
  json,
  type Kind,
  list,
  optional,
  type Parsed,
  port,
  secret,
  text,
  url,
} from './setting-kinds.ts'
export { continueTrace, currentTrace, runInTrace, type Trace } from './trace.ts'
