/**
 * Topics with their ids, by a Metadata request of version 12.
 *
 * A topic that was deleted and created again has the same name and other records; only its id tells (KIP-516), and ids
 * come with Metadata from version 10 on. kafkajs 2.2.4 speaks version 6. So the request is encoded here, by the message
 * definitions in Apache Kafka's `clients/src/main/resources/common/message/Metadata{Request,Response}.json` and
 * KIP-482 (flexible versions), and sent over a connection of kafkajs, which brings addressing, TLS, SASL and timeouts.
 * The connection's modules are not part of kafkajs's documented surface: the version is pinned, and
 * `admin.integration.test.ts` asks a real broker.
 */
import { createRequire } from 'node:module'
import type { Logger } from '@bellyfed/process'
import type { TopicDescription } from '../ports.ts'
import { clientConfig, createClient, socketFactory } from './client.ts'
import type { KafkaConfig } from './config.ts'
import { FlexibleReader, FlexibleWriter } from './flexible-encoding.ts'

const metadataApiKey = 3
const metadataVersion = 12
const topicAuthorizationFailed = 29
const leaderNotAvailable = 5
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

/** What one answer says. */
export interface ClusterTopics {
  readonly clusterId: string
  /** Topics that do not exist are left out. */
  readonly topics: readonly TopicDescription[]
}

/** A connection for such questions. After a failure the next question connects anew. */
export class TopicMetadata {
  readonly #config: KafkaConfig
  readonly #log: Logger
  #cluster: Promise<Cluster> | undefined

  constructor(config: KafkaConfig, log: Logger) {
    this.#config = config
    this.#log = log
  }

  async ask(topics: readonly string[]): Promise<ClusterTopics> {
    try {
      this.#cluster ??= this.#connect()
      const broker = await (await this.#cluster).findControllerBroker()
      return await broker.connectionPool.send(protocolOf(topics))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const cluster = this.#cluster
    this.#cluster = undefined
    await cluster?.then((connected) => connected.disconnect()).catch(() => undefined)
  }

  async #connect(): Promise<Cluster> {
    const cluster = new ClusterOfClient({
      ...clientConfig(this.#config),
      logger: createClient(this.#config, this.#log).logger(),
      socketFactory: socketFactory(),
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 },
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
    })
    try {
      await cluster.connect()
      await cluster.refreshMetadata()
      return cluster
    } catch (error) {
      await cluster.disconnect().catch(() => undefined)
      throw error
    }
  }
}

function protocolOf(topics: readonly string[]): Protocol<ClusterTopics> {
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
export function decodeResponse(payload: Buffer): ClusterTopics {
  const reader = new FlexibleReader(payload)
  reader.tags() // of the header
  reader.int32() // throttle time
  reader.array(() => skipBroker(reader))
  const clusterId = reader.string()
  if (clusterId === null) throw new Error('the broker does not tell its cluster id')
  reader.int32() // controller id
  const topics = reader.array(() => topicOf(reader)).filter((topic) => topic !== undefined)
  return { clusterId, topics }
}

function skipBroker(reader: FlexibleReader): void {
  reader.int32() // node id
  reader.string() // host
  reader.int32() // port
  reader.string() // rack
  reader.tags()
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
  if (errorCode !== 0) {
    throw new Error(`the broker does not describe topic ${topic}: error ${errorCode}${meaningOf(errorCode)}`)
  }
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

function meaningOf(errorCode: number): string {
  if (errorCode === topicAuthorizationFailed) return ' (not authorized to describe it)'
  return errorCode === leaderNotAvailable ? ' (no leader yet)' : ''
}
