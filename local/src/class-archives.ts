import { join } from 'node:path'
import { startKafka } from './kafka.ts'
import { startPostgres } from './postgres.ts'
import type { Java } from './prerequisites.ts'
import { startRegistry } from './registry.ts'

/**
 * Class data archives: what a Java program has loaded and parsed once, in a form that the next start maps into memory.
 * Each is recorded by starting the part once on throw-away data and stopping it.
 */
export async function recordKafkaClasses(options: {
  readonly java: Java
  readonly classPath: string
  /** For the throw-away data; its owner removes it. */
  readonly workDirectory: string
  readonly archive: string
}): Promise<void> {
  const kafka = await startKafka({
    directory: join(options.workDirectory, 'kafka'),
    packages: { java: options.java, kafkaClassPath: options.classPath, kafkaArchive: '' },
    recordArchive: options.archive,
  })
  await kafka.stop()
}

/** As `recordKafkaClasses`; the registry works on a PostgreSQL, as it will later. */
export async function recordRegistryClasses(options: {
  readonly java: Java
  readonly directory: string
  readonly workDirectory: string
  readonly archive: string
}): Promise<void> {
  const postgres = await startPostgres({
    directory: join(options.workDirectory, 'postgres'),
    settings: { fsync: 'off' },
  })
  try {
    const registry = await startRegistry({
      directory: join(options.workDirectory, 'registry'),
      postgresUrl: postgres.ownerUrl,
      packages: { java: options.java, registryDirectory: options.directory, registryArchive: '' },
      recordArchive: options.archive,
    })
    await registry.stop()
  } finally {
    await postgres.stop()
  }
}
