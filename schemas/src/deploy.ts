/** The deploy step of the contract: topics, then schemas. The program that runs it needs a Kafka client: packages/stream. */
import { type AppliedTopic, applyTopics, type TopicOptions } from './apply-topics.ts'
import { type RegisteredSubject, registerSchemas } from './register-schemas.ts'
import type { RegistryClient } from './registry.ts'
import type { TopicAdmin } from './topic-admin.ts'

export interface DeployOptions extends TopicOptions {
  readonly admin: TopicAdmin
  readonly registry: RegistryClient
}

export interface Deployed {
  readonly topics: readonly AppliedTopic[]
  readonly subjects: readonly RegisteredSubject[]
  /** Nothing differed: with `check`, the cluster and the registry are as this build wants them. */
  readonly isUpToDate: boolean
}

/** Idempotent. @throws TopicMismatch, IncompatibleSchema: nothing after the refusal has been changed. */
export async function deploySchemas({ admin, registry, ...options }: DeployOptions): Promise<Deployed> {
  const applied = await applyTopics(admin, options)
  const subjects = await registerSchemas(registry, { check: options.check ?? false })
  const isUpToDate =
    applied.every(({ outcome }) => outcome === 'unchanged') && subjects.every(({ id }) => id !== undefined)
  return { topics: applied, subjects, isUpToDate }
}
