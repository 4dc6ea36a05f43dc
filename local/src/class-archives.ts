import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
  readonly archive: string
}): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bellyfed-classes-'))
  try {
    const kafka = await startKafka({
      directory,
      packages: { java: options.java, kafkaClassPath: options.classPath, kafkaArchive: '' },
      recordArchive: options.archive,
    })
    await kafka.stop()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export async function recordRegistryClasses(options: {
  readonly java: Java
  readonly directory: string
  readonly archive: string
}): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bellyfed-classes-'))
  try {
    const postgres = await startPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } })
    try {
      const registry = await startRegistry({
        directory: join(directory, 'registry'),
        postgresUrl: postgres.ownerUrl,
        packages: { java: options.java, registryDirectory: options.directory, registryArchive: '' },
        recordArchive: options.archive,
      })
      await registry.stop()
    } finally {
      await postgres.stop()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
