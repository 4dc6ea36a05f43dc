import type { LogAdmin, OffsetRange, TopicPartition } from './ports.ts'
import type { LogIdentity } from './position-check.ts'

/**
 * What the cluster says about topics, asked at most once at a time: when twelve partitions join together, one question
 * answers all of them. Nothing is kept, since the point of asking is to notice a change.
 */
export class LogState {
  readonly #admin: LogAdmin
  readonly #identities = new Map<string, Promise<LogIdentity>>()
  readonly #ranges = new Map<string, Promise<ReadonlyMap<number, OffsetRange>>>()

  constructor(admin: LogAdmin) {
    this.#admin = admin
  }

  /** Which cluster and topic this is. Rejects when there is no such topic. */
  identityOf(topic: string): Promise<LogIdentity> {
    return shared(this.#identities, topic, async () => {
      const [clusterId, topicId] = await Promise.all([this.#admin.clusterId(), this.#admin.topicId(topic)])
      if (topicId === undefined) throw new Error(`there is no topic ${topic}`)
      return { clusterId, topicId }
    })
  }

  /** Start and end of every partition of a topic. */
  rangesOf(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return shared(this.#ranges, topic, () => this.#admin.offsets(topic))
  }

  /** Start and end of one partition. Rejects when there is no such partition. */
  async rangeOf({ topic, partition }: TopicPartition): Promise<OffsetRange> {
    const range = (await this.rangesOf(topic)).get(partition)
    if (range === undefined) throw new Error(`topic ${topic} has no partition ${partition}`)
    return range
  }
}

function shared<T>(underWay: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = underWay.get(key)
  if (known !== undefined) return known
  const asked = ask().finally(() => underWay.delete(key))
  underWay.set(key, asked)
  return asked
}
