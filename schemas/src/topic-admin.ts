/**
 * What the deploy step needs of a Kafka cluster. `LogAdmin` of @bellyfed/stream satisfies it, so that this package
 * needs no Kafka client.
 */

export interface TopicState {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Effective settings by Kafka's names (`retention.ms`), broker defaults included. */
  readonly configs: Readonly<Record<string, string>>
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

export interface TopicAdmin {
  /** Names of all topics that the caller may see. */
  listTopics(): Promise<readonly string[]>
  /** States of the named topics. A topic that does not exist (yet) is left out, it is no error. */
  describeTopics(names: readonly string[]): Promise<readonly TopicState[]>
  /** Creates topics. A topic that exists already (another deploy step was faster) is no error. */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** Makes these the topic's own settings; a setting of the topic that is not named goes back to the broker's default. */
  alterConfigs(name: string, configs: Readonly<Record<string, string>>): Promise<void>
}
