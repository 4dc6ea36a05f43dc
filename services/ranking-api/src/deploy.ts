/**
 * The deploy step: schema, role and migrations of ranking-api. Runs before a new version starts; running it again, or twice
 * at once, changes nothing. The role's password is the one of the service's own POSTGRES_URL.
 */
import { deployService } from '@bellyfed/postgres'
import { createLogger, env, readConfig, url } from '@bellyfed/process'
import { settings } from './config.ts'
import { rankingApiMigrations, schema } from './migrations.ts'

/** What the deploy step is told. */
export const deploySettings = {
  ownerUrl: env(
    'DEPLOY_POSTGRES_URL',
    url({ schemes: ['postgres', 'postgresql'] }),
    'The same database with the rights of its owner; only deploy steps are given it.',
  ),
  serviceUrl: settings.postgres.url,
  logLevel: settings.logLevel,
}

if (import.meta.main) {
  const { logLevel, ...urls } = readConfig(deploySettings, process.env)
  const applied = await deployService({ ...urls, schema, migrations: rankingApiMigrations })
  createLogger({ service: 'ranking-api-deploy', level: logLevel }).info({ applied }, 'the database is up to date')
}
