import net from 'node:net'
import tls from 'node:tls'
import type { Logger } from '@bellyfed/process'
import kafkajs, { type KafkaConfig as ClientConfig, type ISocketFactory, type LogEntry } from 'kafkajs'
import { writeEntry } from './client-log.ts'
import { registerCodecs } from './codecs.ts'
import type { KafkaConfig } from './config.ts'

const connectTimeoutMsDefault = 3_000
const requestTimeoutMsDefault = 30_000

/**
 * Retries inside the client bridge a leader election or a broker's restart (about a minute). What lasts longer surfaces
 * as an error, and our own loops go on from there: nothing gives up silently, and nothing retries where nobody sees it.
 */
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 }

/** The settings of kafkajs for a cluster. */
export function clientConfig(
  config: KafkaConfig,
): Omit<ClientConfig, 'brokers' | 'logCreator'> & { brokers: string[] } {
  const { sasl, tls } = config
  return {
    clientId: config.clientId,
    brokers: [...config.brokers],
    connectionTimeout: config.connectTimeoutMs ?? connectTimeoutMsDefault,
    authenticationTimeout: config.requestTimeoutMs ?? requestTimeoutMsDefault,
    requestTimeout: config.requestTimeoutMs ?? requestTimeoutMsDefault,
    enforceRequestTimeout: true,
    retry,
    ...(tls === undefined
      ? {}
      : { ssl: Object.fromEntries(Object.entries(tls).filter(([, pem]) => pem !== undefined)) }),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

/**
 * A kafkajs instance. Each producer, consumer and admin gets its own: instances share nothing but the process, whereas
 * consumers made by one instance share a map of committed offsets by group.
 */
export function createClient(
  config: KafkaConfig,
  log: Logger,
  options: { onEntry?: (entry: LogEntry) => void; onConnectionClosed?: () => void } = {},
): kafkajs.Kafka {
  registerCodecs()
  return new kafkajs.Kafka({
    ...clientConfig(config),
    socketFactory: socketFactory(options.onConnectionClosed),
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      options.onEntry?.(entry)
      writeEntry(log, entry)
    },
  })
}

const keepAliveDelayMs = 60_000

/** Sockets as kafkajs makes them, with an ear on their end. */
export function socketFactory(onClosed: () => void = () => undefined): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect)
    socket.setKeepAlive(true, keepAliveDelayMs)
    socket.setNoDelay(true)
    socket.once('close', onClosed)
    return socket
  }
}
