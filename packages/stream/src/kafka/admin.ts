/**
 * Questions to and changes of the cluster over kafkajs's admin client. The client is made on first use and thrown away
 * after any failure, since kafkajs's does not always find back to a broker that was restarted.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '@bellyfed/process'
import kafkajs, { type Admin } from 'kafkajs'
import type { LogAdmin, NewTopic, OffsetRange, TopicDescription } from '../ports.ts'
import { createClient } from './client.ts'
import type { KafkaConfig } from './config.ts'
import { TopicMetadata } from './topic-metadata.ts'

const leaderTimeoutMs = 30_000
const describePauseMs = 50
const attempts = 2

// What is asked by a loop is asked again by it; retries in here would only hide how long the broker has been away.
const retry = { initialRetryTime: 100, maxRetryTime: 500, retries: 5 }

/** Creates an admin; it connects when first used. */
export function createAdmin(config: KafkaConfig, log: Logger): LogAdmin {
  let client: Promise<Admin> | undefined
  let isClosed = false
  const metadata = new TopicMetadata(config, log)

  const connected = (): Promise<Admin> => {
    client ??= connect(config, log)
    return client
  }
  const discard = async (): Promise<void> => {
    const old = client
    client = undefined
    await old?.then((admin) => admin.disconnect()).catch(() => undefined)
  }
  const ask = async <T>(question: (admin: Admin) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      if (isClosed) throw new Error('the admin client is closed')
      try {
        return await question(await connected())
      } catch (error) {
        await discard()
        if (attempt >= attempts || !isConnectionFailure(error)) throw error
      }
    }
  }
  const describeTopics = async (topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> => {
    if (isClosed) throw new Error('the admin client is closed')
    if (topics.length === 0) return new Map()
    const found = await metadata.ask(topics)
    return new Map(found.topics.map((topic) => [topic.topic, topic]))
  }

  return {
    async clusterId() {
      if (isClosed) throw new Error('the admin client is closed')
      return (await metadata.ask([])).clusterId
    },
    describeTopics,
    topicId: async (topic) => (await describeTopics([topic])).get(topic)?.id,
    async createTopics(topics) {
      await ask((admin) => createTopics(admin, topics))
      await untilDescribed(
        topics.map(({ topic }) => topic),
        describeTopics,
      )
    },
    createPartitions: (topic, count) =>
      ask(async (admin) => {
        await admin.createPartitions({ topicPartitions: [{ topic, count }], timeout: leaderTimeoutMs })
      }),
    deleteTopics: (topics) => ask((admin) => admin.deleteTopics({ topics: [...topics], timeout: leaderTimeoutMs })),
    topicConfigs: (topic) => ask(async (admin) => (await describeConfigs(admin, topic)).all),
    alterTopicConfigs: (topic, configs) => ask((admin) => alterTopicConfigs(admin, topic, configs)),
    // Each try with a new client: the old one keeps the leaders that it knew.
    offsets: (topic) => withLeaders(() => ask((admin) => offsetsOf(admin, topic))),
    committedOffsets: (group, topic) => ask((admin) => committedOffsets(admin, group, topic)),
    deleteRecordsBefore: (topic, offsets) =>
      ask((admin) => {
        const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }))
        return admin.deleteTopicRecords({ topic, partitions })
      }),
    deleteGroups: (groups) => ask(async (admin) => void (await admin.deleteGroups([...groups]))),
    async close() {
      isClosed = true
      await Promise.all([discard(), metadata.close()])
    },
  }
}

async function connect(config: KafkaConfig, log: Logger): Promise<Admin> {
  const admin = createClient(config, log).admin({ retry })
  try {
    await admin.connect()
    return admin
  } catch (error) {
    await admin.disconnect().catch(() => undefined)
    throw error
  }
}

function isConnectionFailure(error: unknown): boolean {
  return error instanceof Error && /Connection|NumberOfRetriesExceeded|Broker|RequestTimeout|Closed/.test(error.name)
}

async function createTopics(admin: Admin, topics: readonly NewTopic[]): Promise<void> {
  // One at a time: kafkajs answers "false" for the whole call as soon as one topic exists already.
  for (const topic of topics) await createTopic(admin, topic)
}

/**
 * A broker that has just started, or was stalled past its session, counts for nothing until the controller has heard of
 * it again; meanwhile even one replica is "too many". So that refusal is believed only when it lasts.
 */
async function createTopic(
  admin: Admin,
  { topic, partitionCount, replicationFactor, configs }: NewTopic,
): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const deadlineMs = performance.now() + leaderTimeoutMs
  for (;;) {
    try {
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitionCount, replicationFactor, configEntries }],
        timeout: leaderTimeoutMs,
        waitForLeaders: false,
      })
      return
    } catch (cause) {
      const refusals = refusalsOf(cause)
      if (refusals.length === 0) throw cause
      if (!refusals.includes('INVALID_REPLICATION_FACTOR') || performance.now() > deadlineMs) {
        throw new Error(`the broker refused to create topic ${topic}: ${refusals.join(', ')}`, { cause })
      }
    }
    await pause(describePauseMs)
  }
}

/** Why the broker refused to create a topic, by Kafka's names; kafkajs's own message does not say. */
function refusalsOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return []
  return error.errors.map((one: { readonly type?: unknown }) => String(one.type))
}

/**
 * A topic is created before every broker knows it, and known before it has a leader; kafkajs's own wait fails on the
 * first of the two ("does not host this topic-partition", seen on Kafka 4.4 under load).
 */
async function untilDescribed(topics: readonly string[], describe: LogAdmin['describeTopics']): Promise<void> {
  const deadlineMs = performance.now() + leaderTimeoutMs
  for (;;) {
    const found = await describe(topics).catch((error: unknown) => {
      if (performance.now() > deadlineMs) throw error
      return new Map<string, TopicDescription>()
    })
    const missing = topics.filter((topic) => !found.has(topic))
    if (missing.length === 0) return
    if (performance.now() > deadlineMs) throw new Error(`the broker does not know the new topics ${missing.join(', ')}`)
    await pause(describePauseMs)
  }
}

async function describeConfigs(
  admin: Admin,
  topic: string,
): Promise<{ all: Map<string, string>; setOnTopic: Map<string, string> }> {
  const { resources } = await admin.describeConfigs({
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    includeSynonyms: false,
  })
  const entries = resources.flatMap((resource) => resource.configEntries)
  const pairs = (some: typeof entries) => new Map(some.map((entry) => [entry.configName, entry.configValue]))
  const isSetOnTopic = ({ configSource }: { configSource: number }) =>
    configSource === kafkajs.ConfigSource.TOPIC_CONFIG
  return { all: pairs(entries), setOnTopic: pairs(entries.filter(isSetOnTopic)) }
}

/** Kafka's AlterConfigs replaces all that was set on a topic, so what is there goes along with what changes. */
async function alterTopicConfigs(
  admin: Admin,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const { setOnTopic } = await describeConfigs(admin, topic)
  const merged = new Map([...setOnTopic, ...Object.entries(configs)])
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: [...merged].map(([name, value]) => ({ name, value })),
      },
    ],
  })
}

async function offsetsOf(admin: Admin, topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
  const partitions = await admin.fetchTopicOffsets(topic)
  return new Map(partitions.map((p) => [p.partition, { start: BigInt(p.low), end: BigInt(p.high) }]))
}

/** A new topic's leaders appear up to some 200 ms after its creation, and kafkajs asks each of them only once. */
async function withLeaders<Result>(ask: () => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + leaderTimeoutMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const isLeaderless = error instanceof Error && /not the leader|no leader/i.test(error.message)
      if (!isLeaderless || performance.now() > deadlineMs) throw error
      await pause(describePauseMs)
    }
  }
}

async function committedOffsets(admin: Admin, group: string, topic: string): Promise<ReadonlyMap<number, bigint>> {
  const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const known = (found?.partitions ?? []).filter(({ offset }) => BigInt(offset) >= 0n)
  return new Map(known.map(({ partition, offset }) => [partition, BigInt(offset)]))
}
