/**
 * Topics with their ids, by a Metadata request of version 12.
 *
 * A topic that was deleted and created again has the same name and other records; only its id tells (KIP-516), and ids
 * come with Metadata from version 10 on. kafkajs 2.2.4 speaks version 6. So the request is encoded here, by the message
 * definitions in Apache Kafka's `clients/src/main/resources/common/message/Metadata{Request,Response}.json` and
 * KIP-482 (flexible versions), and sent over a connection of kafkajs, which brings addressing, TLS, SASL and timeouts.
 * The connection's modules are not part of kafkajs's documented surface: the version is pinned, and
 * `topic-metadata.integration.test.ts` asks a real broker.
 */
import { createRequire } from 'node:module'
import type { Logger } from '@bellyfed/process'
import type { TopicDescription } from '../ports.ts'
import { clientConfig, createClient } from './client.ts'
import type { KafkaConfig } from './config.ts'
import { FlexibleReader, FlexibleWriter } from './flexible-encoding.ts'

const metadataApiKey = 3
const metadataVersion = 12
const unknownTopic = 3

interface Encoder {
  writeBuffer(buffer: Buffer): Encoder
}
interface Protocol<T> {
  readonly request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<Encoder> }
  readonly response: { decode(payload: Buffer): Promise<T>; parse(decoded: T): Promise<T> }
}
interface Broker {
  readonly connectionPool: { send<T>(protocol: Protocol<T>): Promise<T> }
}
interface Cluster {
  connect(): Promise<void>
  refreshMetadata(): Promise<void>
  findControllerBroker(): Promise<Broker>
  disconnect(): Promise<void>
}

const require = createRequire(import.meta.url)
const ClusterOfClient: new (options: object) => Cluster = require('kafkajs/src/cluster')
const EncoderOfClient: new () => Encoder = require('kafkajs/src/protocol/encoder')
const socketFactoryOfClient: () => unknown = require('kafkajs/src/network/socketFactory')

/** Asks for the given topics; those that do not exist are left out. */
export async function fetchTopics(
  config: KafkaConfig,
  log: Logger,
  topics: readonly string[],
): Promise<readonly TopicDescription[]> {
  const cluster = new ClusterOfClient({
    ...clientConfig(config),
    logger: createClient(config, log).logger(),
    socketFactory: socketFactoryOfClient(),
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 },
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
  })
  try {
    await cluster.connect()
    await cluster.refreshMetadata()
    const broker = await cluster.findControllerBroker()
    return await broker.connectionPool.send(protocolOf(topics))
  } finally {
    await cluster.disconnect()
  }
}

function protocolOf(topics: readonly string[]): Protocol<readonly TopicDescription[]> {
  return {
    request: {
      apiKey: metadataApiKey,
      apiVersion: metadataVersion,
      apiName: 'Metadata',
      encode: async () => new EncoderOfClient().writeBuffer(encodeRequest(topics)),
    },
    response: { decode: async (payload) => decodeResponse(payload), parse: async (decoded) => decoded },
  }
}

/** Everything behind the client id of the request header: kafkajs writes the header up to there. */
export function encodeRequest(topics: readonly string[]): Buffer {
  const writer = new FlexibleWriter()
  writer.tags() // of the header
  writer.arrayLength(topics.length)
  for (const topic of topics) writer.uuid(Buffer.alloc(16)).string(topic).tags()
  return writer.boolean(false).boolean(false).tags().buffer()
}

/** Everything behind the correlation id of the response header. */
export function decodeResponse(payload: Buffer): readonly TopicDescription[] {
  const reader = new FlexibleReader(payload)
  reader.tags() // of the header
  reader.int32() // throttle time
  reader.array(() => {
    reader.int32() // node id
    reader.string() // host
    reader.int32() // port
    reader.string() // rack
    reader.tags()
  })
  reader.string() // cluster id
  reader.int32() // controller id
  return reader.array(() => topicOf(reader)).filter((topic) => topic !== undefined)
}

function topicOf(reader: FlexibleReader): TopicDescription | undefined {
  const errorCode = reader.int16()
  const topic = reader.string() ?? ''
  const id = reader.uuid().toString('base64url')
  reader.boolean() // internal
  const replicaCounts = reader.array(() => replicaCountOf(reader))
  reader.int32() // authorized operations
  reader.tags()
  if (errorCode === unknownTopic) return undefined
  if (errorCode !== 0)
    throw new Error(`the broker does not describe topic ${topic}: error ${errorCode}${nameOf(errorCode)}`)
  return { topic, id, partitionCount: replicaCounts.length, replicationFactor: Math.max(0, ...replicaCounts) }
}

function replicaCountOf(reader: FlexibleReader): number {
  reader.int16() // error code: a partition without a leader is one all the same
  reader.int32() // partition
  reader.int32() // leader
  reader.int32() // leader epoch
  const replicas = reader.array(() => reader.int32())
  reader.array(() => reader.int32()) // in-sync replicas
  reader.array(() => reader.int32()) // offline replicas
  reader.tags()
  return replicas.length
}

function nameOf(errorCode: number): string {
  const topicAuthorizationFailed = 29
  const leaderNotAvailable = 5
  if (errorCode === topicAuthorizationFailed) return ' (not authorized to describe it)'
  return errorCode === leaderNotAvailable ? ' (no leader yet)' : ''
}
