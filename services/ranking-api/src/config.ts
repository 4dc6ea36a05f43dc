import { jwks } from '@bellyfed/http'
import { choice, durationMs, env, integer, logLevels, port, text, url } from '@bellyfed/process'
import { kafkaSettings } from '@bellyfed/stream'

const postgresUrl = env(
  'POSTGRES_URL',
  url({ schemes: ['postgres', 'postgresql'] }),
  'Database of the service, with its own role.',
)
const poolSizeMax = env(
  'POSTGRES_POOL_SIZE',
  integer({ min: 3, max: 100, default: 10 }),
  'Most connections of one process.',
)
const registryUrl = env(
  'SCHEMA_REGISTRY_URL',
  url({ schemes: ['http', 'https'] }),
  'Base of the registry’s Confluent-compatible API; for Apicurio it ends in /apis/ccompat/v7.',
)
const logLevel = env('LOG_LEVEL', choice(logLevels, { default: 'info' }), 'What is logged.')
const host = env('HTTP_HOST', text({ default: '127.0.0.1' }), 'Address that the servers listen on.')

/** Every setting of the API process. */
export const settings = {
  postgres: { url: postgresUrl, poolSizeMax },
  registryUrl,
  http: {
    host,
    port: env('HTTP_PORT', port({ default: 8080 }), 'Port of the public API.'),
    operationsPort: env('OPERATIONS_PORT', port({ default: 9080 }), 'Port of health and metrics.'),
  },
  auth: {
    keys: env('JWT_JWKS', jwks(), 'Public keys that tokens are verified with.'),
    issuer: env('JWT_ISSUER', text(), 'The issuer that tokens must name.'),
    audience: env('JWT_AUDIENCE', text(), 'The audience that tokens must name.'),
  },
  requestsPerMinuteMax: env(
    'RATE_LIMIT_USER_PER_MINUTE',
    integer({ min: 1, max: 1_000_000, default: 600 }),
    'Most requests of one user a minute; services and administrators are not limited.',
  ),
  history: {
    url: env('HISTORY_URL', url({ schemes: ['http', 'https'] }), 'Where the history service listens, without a path.'),
    timeoutMs: env(
      'HISTORY_TIMEOUT_MS',
      durationMs({ min: 100, max: 60_000, default: 5_000 }),
      'Longest time that the gateway waits for the history service.',
    ),
  },
  logLevel,
}

/** Every setting of the relay process. */
export const relaySettings = {
  postgres: { url: postgresUrl, poolSizeMax },
  kafka: kafkaSettings,
  registryUrl,
  http: {
    host,
    operationsPort: env('OPERATIONS_PORT', port({ default: 9081 }), 'Port of health and metrics.'),
  },
  relay: {
    batchSizeMax: env(
      'RELAY_BATCH_SIZE',
      integer({ min: 1, max: 10_000, default: 1_000 }),
      'Most events that are sent at once.',
    ),
    pollMs: env(
      'RELAY_POLL_MS',
      durationMs({ min: 10, max: 60_000, default: 200 }),
      'Longest wait for a notification before the relay looks by itself.',
    ),
  },
  logLevel,
}
