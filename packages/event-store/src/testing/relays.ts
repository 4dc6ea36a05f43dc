/** Relays for tests: real ones, over a real database, stopped when the test ends. */
import type { Pool } from '@bellyfed/postgres'
import { createLogger, createMetrics, type Logger, type Metrics } from '@bellyfed/process'
import type { LogProducer } from '@bellyfed/stream'
import { onTestFinished } from 'vitest'
import { createRelay, type Relay, type RelayOptions } from '../relay.ts'

export interface TestRelay {
  readonly relay: Relay
  readonly metrics: Metrics
}

/** Starts a relay. Polls often and takes over quickly, so that tests wait for facts and not for intervals. */
export async function startRelay(
  given: { pool: Pool; producer: LogProducer; log?: Logger } & Partial<RelayOptions>,
): Promise<TestRelay> {
  const metrics = createMetrics('test', { processMetrics: false })
  const relay = createRelay({
    source: 'ranking-api',
    topicPrefix: '',
    registrySchemaId: async (schemaId) => schemaId,
    log: createLogger({ service: 'test', level: 'silent' }),
    metrics,
    pollMs: 20,
    standbyMs: 20,
    ...given,
  })
  onTestFinished(() => relay.stop())
  await relay.start()
  return { relay, metrics }
}

/** The present value of a metric without labels. */
export async function readMetric(metric: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> {
  const { values } = await metric.get()
  return values[0]?.value ?? Number.NaN
}
