/**
 * Runs once for all integration tests, in vitest's main process. It starts `serve-parts.ts` as a process of its own,
 * which starts nothing until a test file asks it for a part, and tells the test files where to ask.
 */
import type { TestProject } from 'vitest/node'
import { type SpawnedProcess, spawnProcess } from './spawn-process.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a worker asks for parts. */
    bellyfedPartsUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = spawnProcess({
    name: 'the parts of integration tests',
    entry: 'packages/testkit/src/serve-parts.ts',
    args: ['--on-demand'],
    env: definedOf(process.env),
  })
  project.provide('bellyfedPartsUrl', await urlOf(server))
  return async () => {
    await server.stop({ timeoutMs: 60_000 })
  }
}

async function urlOf(server: SpawnedProcess): Promise<string> {
  await server.untilOutput('\n')
  return server.output().trim()
}

function definedOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
