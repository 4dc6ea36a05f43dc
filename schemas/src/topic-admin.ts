/**
 * What the deploy step needs of a Kafka cluster. `LogAdmin` of @bellyfed/stream satisfies it, so that this package
 * needs no Kafka client.
 */

export interface TopicState {
  readonly partitionCount: number
  readonly replicationFactor: number
}

export interface NewTopic {
  readonly topic: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** By Kafka's names (`retention.ms`). */
  readonly configs: Readonly<Record<string, string>>
}

export interface TopicAdmin {
  /** The topics that exist among those asked for. */
  describeTopics(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>>
  /** Creates topics and waits for their leaders; leaves those that exist as they are. */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** A topic's configuration, defaults included. */
  topicConfigs(topic: string): Promise<ReadonlyMap<string, string>>
  /** Sets these configurations and keeps all others that were set on the topic. */
  alterTopicConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void>
}
