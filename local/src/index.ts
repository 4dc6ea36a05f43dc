/**
 * The real components as child processes of the caller: PostgreSQL, Apache Kafka and the schema registry, without
 * Docker. Tests and benchmarks start them through these functions; `npm start` runs the whole platform on them.
 */

export { type KafkaOptions, type RunningKafka, startKafka } from './kafka.ts'
export { defaultCacheDirectory, type PackagePaths, type PrepareProgress, preparePackages } from './packages.ts'
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres.ts'
export { MissingPrerequisite } from './prerequisites.ts'
export { type RegistryOptions, type RunningRegistry, startRegistry } from './registry.ts'
export type { RunningPart } from './running-part.ts'
