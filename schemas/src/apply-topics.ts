/**
 * Brings the cluster's topics to what topics.json says. What is missing is created; of what exists every declared
 * setting is compared with the broker's and set where it differs. Two things are never changed behind anyone's back:
 * - partitions: another count sends a key's later records to another partition, past its earlier ones;
 * - replication: moving replicas is an operator's work.
 * A difference there is refused before anything is changed.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type TopicName, topics } from './generated/topics.ts'
import type { TopicAdmin, TopicState } from './topic-admin.ts'
import type { TopicDefinition } from './topics.ts'

const inForceMsMax = 30_000
const inForcePauseMs = 50

export interface TopicOptions {
  /** Goes before every topic's name; empty by default. */
  prefix?: string
  /** 1 by default: one broker. */
  replicationFactor?: number
  /** Instead of the declared counts, for small installations and tests. All user-keyed topics take `user id`'s. */
  partitions?: Partial<Record<TopicName, number>>
  /** All topics by default. */
  only?: readonly TopicName[]
  /** Changes nothing, only says what it would do. */
  check?: boolean
}

export interface SettingDifference {
  readonly setting: string
  readonly declared: string
  /** Undefined when the broker does not know the setting. */
  readonly actual: string | undefined
}

export interface AppliedTopic {
  readonly topic: string
  /** With `check`: what would have been done. */
  readonly outcome: 'created' | 'altered' | 'unchanged'
  readonly differences: readonly SettingDifference[]
}

/** The cluster has a topic in a shape that is not the declared one and that nobody may change in passing. */
export class TopicMismatch extends Error {
  readonly topic: string

  constructor(topic: string, what: string, declared: number, actual: number) {
    super(
      `Topic ${topic} has ${actual} ${what}, declared are ${declared}. This is never changed by a deploy step: ` +
        'declare what the topic has, or migrate its records to a new topic',
    )
    this.name = 'TopicMismatch'
    this.topic = topic
  }
}

/** Idempotent, and safe beside itself. @throws TopicMismatch before anything was changed. */
export async function applyTopics(admin: TopicAdmin, options: TopicOptions = {}): Promise<readonly AppliedTopic[]> {
  const { prefix = '', check = false, only } = options
  const wanted = Object.values(topics)
    .filter((definition) => !only || only.includes(definition.name))
    .map((definition) => ({ topic: prefix + definition.name, ...shapeOf(definition, options) }))
  refuseUnequalPartitions(wanted)

  const before = await admin.describeTopics(wanted.map(({ topic }) => topic))
  for (const one of wanted) refuseMismatch(one, before.get(one.topic))
  const missing = wanted.filter(({ topic }) => !before.has(topic))
  if (missing.length > 0 && !check) {
    await admin.createTopics(missing.map(({ key: _, ...topic }) => topic))
    // Another deploy step may have created one in another shape meanwhile.
    const after = await admin.describeTopics(missing.map(({ topic }) => topic))
    for (const one of missing) refuseMismatch(one, after.get(one.topic))
  }

  const applied: AppliedTopic[] = []
  for (const { topic, configs } of wanted) {
    if (check && !before.has(topic)) {
      applied.push({ topic, outcome: 'created', differences: [] })
      continue
    }
    const differences = differencesOf(configs, await admin.topicConfigs(topic))
    if (differences.length > 0 && !check) {
      await admin.alterTopicConfigs(topic, configs)
      await untilInForce(admin, topic, configs)
    }
    const changed = differences.length > 0 ? 'altered' : 'unchanged'
    applied.push({ topic, outcome: before.has(topic) ? changed : 'created', differences })
  }
  return applied
}

/** Kafka's own names and values of what a topic declares. */
export function topicConfigs(definition: TopicDefinition): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': definition.cleanupPolicy,
    'compression.type': definition.compressionType,
    'max.message.bytes': String(definition.maxMessageBytes),
    'retention.ms': String(definition.retentionMs),
    // Otherwise retention.ms alone would not keep the log.
    'retention.bytes': '-1',
    // A record's time is its acceptance; the broker's own clock has no say.
    'message.timestamp.type': 'CreateTime',
  }
}

interface WantedTopic {
  readonly topic: string
  readonly key: string
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

function shapeOf(definition: TopicDefinition, { replicationFactor = 1, partitions = {} }: TopicOptions) {
  return {
    key: definition.key,
    partitionCount: partitions[definition.name] ?? definition.partitions,
    replicationFactor,
    configs: topicConfigs(definition),
  }
}

/** A service locks partition n of all its user-keyed topics as one: they must split users alike. */
function refuseUnequalPartitions(wanted: readonly WantedTopic[]): void {
  const userKeyed = wanted.filter(({ key }) => key === 'user id')
  const [first] = userKeyed
  const other = userKeyed.find(({ partitionCount }) => partitionCount !== first?.partitionCount)
  if (first && other) {
    throw new RangeError(
      `Topics keyed by user must have equal partition counts: ${first.topic} ${first.partitionCount}, ${other.topic} ${other.partitionCount}`,
    )
  }
}

function refuseMismatch(wanted: WantedTopic, actual: TopicState | undefined): void {
  if (!actual) return
  if (actual.partitionCount !== wanted.partitionCount) {
    throw new TopicMismatch(wanted.topic, 'partitions', wanted.partitionCount, actual.partitionCount)
  }
  if (actual.replicationFactor !== wanted.replicationFactor) {
    throw new TopicMismatch(wanted.topic, 'replicas', wanted.replicationFactor, actual.replicationFactor)
  }
}

/** A broker answers before its settings are in force: whoever looked at once would find the old ones. */
async function untilInForce(admin: TopicAdmin, topic: string, configs: WantedTopic['configs']): Promise<void> {
  const deadlineMs = performance.now() + inForceMsMax
  for (;;) {
    const [difference] = differencesOf(configs, await admin.topicConfigs(topic))
    if (!difference) return
    if (performance.now() > deadlineMs) {
      const { setting, declared, actual } = difference
      throw new Error(`Topic ${topic}: the broker took ${setting} = ${declared}, but keeps ${actual ?? 'it unset'}`)
    }
    await pause(inForcePauseMs)
  }
}

function differencesOf(
  declared: Readonly<Record<string, string>>,
  actual: ReadonlyMap<string, string>,
): readonly SettingDifference[] {
  return Object.entries(declared)
    .map(([setting, value]) => ({ setting, declared: value, actual: actual.get(setting) }))
    .filter((one) => one.declared !== one.actual)
}
