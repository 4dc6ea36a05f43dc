export { type Cleanup, createTestDatabase, type ServiceSchema, type TestDatabase } from './database.ts'
export { decoded, idOf, type RankingFacts, ranked, removed, testEpochMs, updated } from './events.ts'
export { type EventuallyOptions, eventually, NotInTime } from './eventually.ts'
export { type LogLine, recordingLogger, silentLogger } from './log.ts'
export { expectExactlyOnce, expectNoGaps, expectOrderPerKey, OrderViolation } from './order.ts'
export { type TestPlatform, testPlatform } from './platform.ts'
export {
  type Exit,
  freePort,
  killSpawned,
  type SpawnedProcess,
  type SpawnOptions,
  spawnProcess,
} from './spawn-process.ts'
export { type CutRule, createTcpProxy, type Direction, type TcpProxy } from './tcp-proxy.ts'
export { createTestEvents, type RecordFacts, type TestEvents } from './test-events.ts'
export { createTestLog, type TestLog } from './test-log.ts'
