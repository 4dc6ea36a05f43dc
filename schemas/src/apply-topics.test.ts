import { describe, expect, test } from 'vitest'
import { applyTopics, TopicMismatch, topicConfigs } from './apply-topics.ts'
import { topics } from './generated/topics.ts'
import type { NewTopic, TopicAdmin } from './topic-admin.ts'

/** A cluster in memory that adds its own defaults, as a broker does. */
function memoryCluster() {
  const found = new Map<string, NewTopic>()
  const changes: string[] = []
  const admin: TopicAdmin = {
    async describeTopics(names) {
      return new Map(names.flatMap((name) => (found.has(name) ? [[name, found.get(name) as NewTopic]] : [])))
    },
    async createTopics(created) {
      for (const topic of created) {
        if (!found.has(topic.topic)) found.set(topic.topic, topic)
        changes.push(`create ${topic.topic}`)
      }
    },
    async topicConfigs(name) {
      return new Map(Object.entries({ 'segment.bytes': '1073741824', ...found.get(name)?.configs }))
    },
    async alterTopicConfigs(name, configs) {
      const topic = found.get(name) as NewTopic
      found.set(name, { ...topic, configs: { ...topic.configs, ...configs } })
      changes.push(`alter ${name}`)
    },
  }
  return { admin, found, changes }
}

const outcomes = (applied: Awaited<ReturnType<typeof applyTopics>>) => [...new Set(applied.map((one) => one.outcome))]

describe('applyTopics', () => {
  test('creates every topic as declared, under the prefix', async () => {
    const { admin, found } = memoryCluster()
    await applyTopics(admin, { prefix: 'test.', replicationFactor: 3 })
    expect([...found.keys()]).toStrictEqual(Object.keys(topics).map((name) => `test.${name}`))
    expect(found.get('test.catalogue')).toStrictEqual({
      topic: 'test.catalogue',
      partitionCount: 6,
      replicationFactor: 3,
      configs: topicConfigs(topics.catalogue),
    })
    expect(topicConfigs(topics.catalogue)).toMatchObject({ 'cleanup.policy': 'compact', 'compression.type': 'zstd' })
  })

  test('changes nothing the second time', async () => {
    const { admin, changes } = memoryCluster()
    await applyTopics(admin)
    changes.length = 0
    expect(outcomes(await applyTopics(admin))).toStrictEqual(['unchanged'])
    expect(changes).toStrictEqual([])
  })

  test('sets a setting that differs from the declared one, and says which', async () => {
    const { admin, found } = memoryCluster()
    await applyTopics(admin)
    await admin.alterTopicConfigs('dish-rankings', { 'retention.ms': '1000' })
    const applied = await applyTopics(admin)
    expect(applied.filter((one) => one.outcome === 'altered')).toStrictEqual([
      {
        topic: 'dish-rankings',
        outcome: 'altered',
        differences: [{ setting: 'retention.ms', declared: '-1', actual: '1000' }],
      },
    ])
    expect(found.get('dish-rankings')?.configs['retention.ms']).toBe('-1')
  })

  test('has what it set in force when it returns, though the broker is slow to show it', async () => {
    const { admin, found } = memoryCluster()
    await applyTopics(admin)
    await admin.alterTopicConfigs('catalogue', { 'cleanup.policy': 'delete' })
    let staleAnswers = 2
    const slow: TopicAdmin = {
      ...admin,
      async topicConfigs(name) {
        const isStale = name === 'catalogue' && found.get(name)?.configs['cleanup.policy'] === 'compact'
        const configs = await admin.topicConfigs(name)
        return isStale && staleAnswers-- > 0 ? new Map([...configs, ['cleanup.policy', 'delete']]) : configs
      },
    }
    expect(outcomes(await applyTopics(slow, { only: ['catalogue'] }))).toStrictEqual(['altered'])
    expect((await slow.topicConfigs('catalogue')).get('cleanup.policy')).toBe('compact')
  })

  test('with check only says what it would do', async () => {
    const { admin, changes } = memoryCluster()
    expect(outcomes(await applyTopics(admin, { check: true }))).toStrictEqual(['created'])
    expect(changes).toStrictEqual([])
  })

  test.each([
    ['partition count', { partitionCount: 6, replicationFactor: 1 }, /6 partitions, declared are 12/],
    ['replication', { partitionCount: 12, replicationFactor: 3 }, /3 replicas, declared are 1/],
  ])('refuses another %s before it changes anything', async (_what, shape, message) => {
    const { admin, changes } = memoryCluster()
    await admin.createTopics([{ topic: 'user-activity', configs: {}, ...shape }])
    changes.length = 0
    await expect(applyTopics(admin)).rejects.toThrow(message)
    await expect(applyTopics(admin)).rejects.toThrow(TopicMismatch)
    expect(changes).toStrictEqual([])
  })

  test('refuses unequal partition counts of user-keyed topics', async () => {
    const { admin } = memoryCluster()
    await expect(applyTopics(admin, { partitions: { 'badge-events': 6 } })).rejects.toThrow(/equal partition counts/)
  })
})
