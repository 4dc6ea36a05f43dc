import { expect, test } from 'vitest'
import { levelOf } from './client-log.ts'

const level = { error: 1, warn: 2, info: 4, debug: 5 }
const entry = (severity: keyof typeof level, message: string, error?: string) => ({
  namespace: '',
  level: level[severity],
  label: '',
  log: { timestamp: '', message, error },
})

test.each([
  ['error', 'Response Heartbeat(key: 12, version: 3)', 'The group is rebalancing, so a rejoin is needed'],
  ['error', 'The coordinator is not aware of this member, re-joining the group', undefined],
  ['error', 'Response CreateTopics(key: 19, version: 3)', 'Topic creation errors'],
  ['warn', 'The group is rebalancing, re-joining', undefined],
  ['warn', 'Limiting retries for the idempotent producer may invalidate EoS guarantees', undefined],
  ['info', 'Consumer has joined the group', undefined],
] as const)('handled by the client, so debug: %s %s', (severity, message, error) => {
  expect(levelOf(entry(severity, message, error))).toBe('debug')
})

test.each([
  ['error', 'Connection error: connect ECONNREFUSED 127.0.0.1:1'],
  ['error', 'Offset out of range, resetting to default offset'],
] as const)('worth a look, so warn: %s %s', (severity, message) => {
  expect(levelOf(entry(severity, message))).toBe('warn')
})
