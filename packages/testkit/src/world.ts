/** What tools outside the test runner use of the testkit: databases, topics and events of their own on running parts. */
export { type Cleanup, createTestDatabase, type ServiceSchema, type TestDatabase } from './database.ts'
export { decoded, idOf, type RankingFacts, ranked, removed, testEpochMs, updated } from './events.ts'
export { silentLogger } from './log.ts'
export { createTestEvents, type TestEvents } from './test-events.ts'
export { createTestLog, type TestLog } from './test-log.ts'
