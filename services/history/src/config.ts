import { jwks } from '@bellyfed/http'
import { choice, durationMs, env, integer, logLevels, port, text, url } from '@bellyfed/process'
import { kafkaSettings } from '@bellyfed/stream'

/** Every setting of the history service. */
export const settings = {
  postgres: {
    url: env(
      'POSTGRES_URL',
      url({ schemes: ['postgres', 'postgresql'] }),
      'Database of the service, with its own role.',
    ),
    poolSizeMax: env(
      'POSTGRES_POOL_SIZE',
      integer({ min: 3, max: 100, default: 10 }),
      'Most connections of one process.',
    ),
  },
  kafka: kafkaSettings,
  consumer: {
    sessionTimeoutMs: env(
      'CONSUMER_SESSION_TIMEOUT_MS',
      durationMs({ min: 1_000, max: 300_000, default: 30_000 }),
      'How long the consumer group waits for a silent member before others take over its partitions.',
    ),
  },
  registryUrl: env(
    'SCHEMA_REGISTRY_URL',
    url({ schemes: ['http', 'https'] }),
    'Base of the registry’s Confluent-compatible API; for Apicurio it ends in /apis/ccompat/v7.',
  ),
  http: {
    host: env(
      'HTTP_HOST',
      text({ default: '127.0.0.1' }),
      'Address that the read API and the operations server listen on.',
    ),
    port: env('HTTP_PORT', port({ default: 8082 }), 'Port of the read API.'),
    operationsPort: env('OPERATIONS_PORT', port({ default: 9082 }), 'Port of health, metrics and stream metrics.'),
  },
  auth: {
    keys: env('JWT_JWKS', jwks(), 'Public keys that tokens are verified with.'),
    issuer: env('JWT_ISSUER', text(), 'The issuer that tokens must name.'),
    audience: env('JWT_AUDIENCE', text(), 'The audience that tokens must name.'),
  },
  receiptWaitMsMax: env(
    'RECEIPT_WAIT_MS',
    durationMs({ min: 0, max: 10_000, default: 2_000 }),
    'Longest time that a read with a receipt waits before it answers 202.',
  ),
  logLevel: env('LOG_LEVEL', choice(logLevels, { default: 'info' }), 'What is logged.'),
}
