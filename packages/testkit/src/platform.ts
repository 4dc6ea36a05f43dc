/**
 * What a test file needs of the real parts, made for this file alone on parts that all files share: databases of its
 * own, topics under a prefix of its own. A part is started when a file first asks for something on it; everything that
 * was made is undone when the file ends, the latest first.
 */
import { randomUUID } from 'node:crypto'
import type { TopicName } from '@bellyfed/schemas'
import { afterAll, inject } from 'vitest'
import { createTestDatabase, type ServiceSchema, type TestDatabase } from './database.ts'
import { killSpawned } from './spawn-process.ts'
import { createTestEvents, type TestEvents } from './test-events.ts'
import { createTestLog, type TestLog } from './test-log.ts'
import { askForPart } from './test-parts.ts'

export interface TestPlatform {
  /** URL of a superuser of the PostgreSQL cluster that all test files share. */
  postgresUrl(): Promise<string>
  /** A database of this file's own, with each service's schema, role and migrations. */
  database(services: readonly ServiceSchema[]): Promise<TestDatabase>
  /** Kafka under a topic prefix of this file's own, with these topics created. The same prefix on every call. */
  kafka(options?: { topics?: readonly TopicName[]; partitionCount?: number }): Promise<TestLog>
  /** The registry, with every schema registered, and a codec that can read and write every event. */
  events(): Promise<TestEvents>
  /** Undoes `undo` when the file ends, before what was made earlier. */
  onEnd(undo: () => Promise<unknown>): void
}

/** Call at the top level of a test file or of a `describe`: it registers the clean-up. Starts nothing by itself. */
export function testPlatform(): TestPlatform {
  const partsUrl = inject('bellyfedPartsUrl')
  const prefix = `t${randomUUID().slice(0, 8)}.`
  const undos: (() => Promise<unknown>)[] = []
  const cleanup = { add: (undo: () => Promise<unknown>) => void undos.push(undo) }
  let log: Promise<TestLog> | undefined
  let events: Promise<TestEvents> | undefined
  cleanup.add(killSpawned)

  afterAll(async () => {
    const faults: unknown[] = []
    for (const undo of undos.reverse()) await undo().catch((fault: unknown) => faults.push(fault))
    if (faults.length > 0) throw new AggregateError(faults, 'the clean-up of a test file failed')
  })

  return {
    postgresUrl: () => askForPart(partsUrl, 'postgres'),
    database: async (services) => createTestDatabase(await askForPart(partsUrl, 'postgres'), services, cleanup),
    async kafka({ topics = [], partitionCount = 3 } = {}) {
      log ??= askForPart(partsUrl, 'kafka').then((brokers) => createTestLog(brokers.split(','), prefix, cleanup))
      const testLog = await log
      await testLog.createTopics(topics, partitionCount)
      return testLog
    },
    events() {
      events ??= askForPart(partsUrl, 'registry').then((url) => createTestEvents(url))
      return events
    },
    onEnd: cleanup.add,
  }
}
