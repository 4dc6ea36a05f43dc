/** Against the real broker: its defaults, its validation and its names of settings. */
import { randomUUID } from 'node:crypto'
import { eventually, testPlatform } from '@bellyfed/testkit'
import { describe, expect, test } from 'vitest'
import { applyTopics, TopicMismatch, topicConfigs } from './apply-topics.ts'
import { deploySchemas } from './deploy.ts'
import { topics } from './generated/topics.ts'
import { registryClient } from './registry.ts'

const platform = testPlatform()

/** The cluster's admin, and a prefix that nobody else uses; its topics are deleted at the end. */
async function cluster() {
  const { admin } = await platform.kafka()
  const prefix = `schemas-${randomUUID().slice(0, 8)}.`
  platform.onEnd(async () => {
    const names = Object.keys(topics).map((name) => prefix + name)
    await admin.deleteTopics([...(await admin.describeTopics(names)).keys()])
  })
  return { admin, prefix }
}

describe('applyTopics', () => {
  test('gives every topic its partitions and settings, and finds nothing to do afterwards', async () => {
    const { admin, prefix } = await cluster()
    await Promise.all([applyTopics(admin, { prefix }), applyTopics(admin, { prefix })])

    const names = Object.keys(topics).map((name) => prefix + name)
    const described = await admin.describeTopics(names)
    for (const definition of Object.values(topics)) {
      expect(described.get(prefix + definition.name)).toMatchObject({
        partitionCount: definition.partitions,
        replicationFactor: 1,
      })
      const configs = Object.fromEntries(await admin.topicConfigs(prefix + definition.name))
      expect(configs).toMatchObject(topicConfigs(definition))
    }
    const again = await applyTopics(admin, { prefix })
    expect(again.map(({ outcome, differences }) => ({ outcome, differences }))).toStrictEqual(
      again.map(() => ({ outcome: 'unchanged', differences: [] })),
    )
  })

  test('sets back what was altered by hand, and leaves settings that it does not declare', async () => {
    const { admin, prefix } = await cluster()
    const only = ['catalogue'] as const
    await applyTopics(admin, { prefix, only })
    const topic = `${prefix}catalogue`
    await admin.alterTopicConfigs(topic, { 'cleanup.policy': 'delete', 'segment.bytes': '1048576' })

    // The broker answers before the setting is in force.
    await eventually(async () => (await admin.topicConfigs(topic)).get('cleanup.policy') === 'delete', {
      what: 'the alteration is in force',
    })

    const checked = await applyTopics(admin, { prefix, only, check: true })
    const difference = { setting: 'cleanup.policy', declared: 'compact', actual: 'delete' }
    expect(checked).toStrictEqual([{ topic, outcome: 'altered', differences: [difference] }])
    expect(await applyTopics(admin, { prefix, only })).toStrictEqual(checked)
    const configs = await admin.topicConfigs(topic)
    expect(configs.get('cleanup.policy')).toBe('compact')
    expect(configs.get('segment.bytes')).toBe('1048576')
  })

  test('refuses a topic of another partition count', async () => {
    const { admin, prefix } = await cluster()
    await admin.createTopics([
      { topic: `${prefix}dish-rankings`, partitionCount: 2, replicationFactor: 1, configs: {} },
    ])
    await expect(applyTopics(admin, { prefix })).rejects.toThrow(TopicMismatch)
    expect([...(await admin.describeTopics([`${prefix}user-activity`])).keys()]).toStrictEqual([])
  })
})

test('the deploy step brings an empty cluster and registry to what a check then finds', async () => {
  const { admin, prefix } = await cluster()
  const registry = registryClient((await platform.events()).registryUrl)
  const before = await deploySchemas({ admin, registry, prefix, check: true })
  expect(before.isUpToDate).toBe(false)
  await deploySchemas({ admin, registry, prefix })
  const after = await deploySchemas({ admin, registry, prefix, check: true })
  expect(after.isUpToDate).toBe(true)
})
