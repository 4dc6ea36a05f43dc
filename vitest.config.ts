import { defineConfig } from 'vitest/config'

const source = { conditions: ['source', 'node'] }

/**
 * Three projects. `unit` needs nothing but Node. `integration` starts the real PostgreSQL, Kafka and schema registry
 * once a run (packages/testkit). `e2e` starts the whole platform as a user would.
 * File names decide: `x.test.ts`, `x.integration.test.ts`, `x.e2e.test.ts`.
 */
export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/src/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.integration.test.ts', '**/*.e2e.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['**/src/**/*.integration.test.ts'],
          globalSetup: ['packages/testkit/src/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['**/src/**/*.e2e.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
