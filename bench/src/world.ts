/** What a bar works on: a database with both services' schemas, topics of its own, and a codec, all removed at the end. */
import { randomUUID } from 'node:crypto'
import { historyMigrations, projectionPool } from '@bellyfed/history'
import type { Pool } from '@bellyfed/postgres'
import { createMetrics } from '@bellyfed/process'
import { commandPoolConfig, rankingApiMigrations } from '@bellyfed/ranking-api'
import { createTestDatabase, createTestEvents, createTestLog, silentLogger } from '@bellyfed/testkit/world'
import type { BenchContext } from './bar.ts'

export type World = Awaited<ReturnType<typeof createWorld>>

/** `partitionCount` of `dish-rankings`. */
export async function createWorld(context: BenchContext, partitionCount = 12) {
  const { ownerUrl, brokers, registryUrl } = await context.parts()
  const undos: (() => Promise<unknown>)[] = []
  const cleanup = { add: (undo: () => Promise<unknown>) => void undos.push(undo) }
  const close = async (): Promise<void> => {
    for (const undo of undos.toReversed()) await undo()
  }
  const services = [
    { schema: 'ranking_api', migrations: rankingApiMigrations },
    { schema: 'history', migrations: historyMigrations },
  ]
  const database = await createTestDatabase(ownerUrl, services, cleanup)
  const kafka = createTestLog(brokers, `b${randomUUID().slice(0, 8)}.`, cleanup)
  await kafka.createTopics(['dish-rankings'], partitionCount)
  const pools: { rankingApi: Pool; history: Pool; ordinary: Pool; owner: Pool } = {
    rankingApi: await database.pool('ranking_api', { ...commandPoolConfig, poolSizeMax: 10, connectTimeoutMs: 30_000 }),
    history: await database.pool('history', {
      ...projectionPool,
      poolSizeMax: 10,
      connectTimeoutMs: 30_000,
    }),
    /** Into history's schema too, with the server's own settings. */
    ordinary: await database.pool('history', { poolSizeMax: 2, connectTimeoutMs: 30_000 }),
    owner: await database.ownerPool('history'),
  }
  return {
    database,
    kafka,
    pools,
    events: await createTestEvents(registryUrl),
    registryUrl,
    topic: kafka.topic('dish-rankings'),
    log: silentLogger,
    metrics: createMetrics('bench', { processMetrics: false }),
    close,
  }
}
