import { type ConfigOf, choice, durationMs, env, flag, list, optional, secret, text } from '@bellyfed/process'

/** How to reach and authenticate to a Kafka cluster. */
export interface KafkaConfig {
  readonly brokers: readonly string[]
  /** Shown by the broker in its logs and quotas; the service's name. */
  readonly clientId: string
  readonly sasl?: KafkaSasl | undefined
  readonly tls?: KafkaTls | undefined
  /** Longest time to open one connection; 3 s by default. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest time to wait for one answer; 30 s by default. */
  readonly requestTimeoutMs?: number | undefined
}

type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512'

/** The user by whom the broker knows this process. */
export type KafkaSasl = {
  readonly [Mechanism in SaslMechanism]: {
    readonly mechanism: Mechanism
    readonly username: string
    readonly password: string
  }
}[SaslMechanism]

/** Encryption to the brokers. The certificates are in PEM form; without `ca`, the system's authorities are trusted. */
export interface KafkaTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** The environment variables of a service that speaks to Kafka; put it into the service's own spec as `kafka`. */
export const kafkaSettings = {
  brokers: env(
    'KAFKA_BROKERS',
    list({ pattern: /[^\s,]+:\d{1,5}/ }),
    'Brokers to begin with, as host:port; the others are learnt from them.',
  ),
  topicPrefix: env(
    'TOPIC_PREFIX',
    text({ default: '', pattern: /[A-Za-z0-9._-]{0,100}/ }),
    'Put before every topic name and consumer group, so that several installations can share a cluster.',
  ),
  saslMechanism: env(
    'KAFKA_SASL_MECHANISM',
    choice(['none', 'plain', 'scram-sha-256', 'scram-sha-512'], { default: 'none' }),
    'How the service proves who it is to the brokers.',
  ),
  saslUsername: env('KAFKA_SASL_USERNAME', optional(text()), 'The Kafka user; needed when a mechanism is set.'),
  saslPassword: env('KAFKA_SASL_PASSWORD', optional(secret()), 'The password of the Kafka user.'),
  tls: env('KAFKA_TLS', flag({ default: false }), 'Whether connections to the brokers are encrypted.'),
  tlsCa: env(
    'KAFKA_TLS_CA',
    optional(text()),
    'Certificate authority of the brokers in PEM form; the system’s by default.',
  ),
  tlsCert: env('KAFKA_TLS_CERT', optional(text()), 'Client certificate in PEM form, where the brokers ask for one.'),
  tlsKey: env('KAFKA_TLS_KEY', optional(secret()), 'Key of the client certificate in PEM form.'),
  connectTimeoutMs: env(
    'KAFKA_CONNECT_TIMEOUT_MS',
    durationMs({ min: 100, max: 60_000, default: 3_000 }),
    'Longest time to open one connection to a broker.',
  ),
  requestTimeoutMs: env(
    'KAFKA_REQUEST_TIMEOUT_MS',
    durationMs({ min: 1_000, max: 300_000, default: 30_000 }),
    'Longest time to wait for one answer of a broker.',
  ),
}

/** Turns the values of `kafkaSettings` into a KafkaConfig. Throws when a mechanism is set without a user or password. */
export function kafkaConfigOf(settings: ConfigOf<typeof kafkaSettings>, clientId: string): KafkaConfig {
  return {
    brokers: settings.brokers,
    clientId,
    sasl: saslOf(settings),
    tls: settings.tls ? { ca: settings.tlsCa, cert: settings.tlsCert, key: settings.tlsKey } : undefined,
    connectTimeoutMs: settings.connectTimeoutMs,
    requestTimeoutMs: settings.requestTimeoutMs,
  }
}

function saslOf(settings: ConfigOf<typeof kafkaSettings>): KafkaSasl | undefined {
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = settings
  if (mechanism === 'none') return undefined
  if (username === undefined || password === undefined) {
    throw new Error(`KAFKA_SASL_MECHANISM is ${mechanism}: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set too`)
  }
  return { mechanism, username, password }
}
