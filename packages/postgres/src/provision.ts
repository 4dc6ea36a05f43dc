/**
 * What a service needs before its first migration: a schema, and a login role of the same name that may use that schema
 * and nothing else. Run by the deploy step with the owner's URL; running again sets the password anew and is otherwise
 * without effect, also beside itself. Roles belong to the whole cluster, schemas to one database.
 */
import { assertPlainName, quoteIdentifier, quoteLiteral, runText } from './connection.ts'
import { deployLockText, grantText, type Migration, migrate, withOwner } from './migrate.ts'

/** Creates the role if it is missing. Roles have no `if not exists`, and two deploy steps may meet. */
function createRoleText(role: string): string {
  return `
    do $$
    begin
      create role ${quoteIdentifier(role)};
    exception
      when duplicate_object or unique_violation then null;
    end
    $$;`
}

// The lock is of one database, roles are of all: two databases may still alter one role at the same moment.
const concurrentUpdatePattern = /tuple concurrently (updated|deleted)/
const attemptsMax = 10

async function withConcurrentUpdates(attempt: () => Promise<void>): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      await attempt()
      return
    } catch (error) {
      if (attempts === attemptsMax || !concurrentUpdatePattern.test((error as Error).message)) throw error
    }
  }
}

export interface ServiceAccount {
  readonly schema: string
  /** The same as the schema: grants in migrations rely on it. */
  readonly role: string
  readonly password: string
}

/** Schema, login role and default grants of one service. The password must not be empty. */
export async function provisionService(ownerUrl: string, account: ServiceAccount): Promise<void> {
  const { schema, role, password } = account
  assertPlainName('role', role)
  if (role !== schema) throw new Error(`role ${role}: a service's role bears the name of its schema, ${schema}`)
  if (password.length === 0) throw new Error(`role ${role}: the password is empty`)
  const login = `alter role ${quoteIdentifier(role)} with login password ${quoteLiteral(password)};`
  await createSchemaAndRole(ownerUrl, schema, login)
}

/** Schema and role without a password: for databases that nobody logs in to, such as the one that docs are made from. */
export async function createSchemaAndRole(ownerUrl: string, schema: string, roleSettings = ''): Promise<void> {
  const text = `
    ${createRoleText(schema)}
    ${roleSettings}
    create schema if not exists ${quoteIdentifier(schema)};
    ${grantText(schema)}`
  await withOwner(ownerUrl, schema, (client) =>
    withConcurrentUpdates(async () => {
      try {
        await runText(client, `begin; ${deployLockText} ${text} commit;`)
      } catch (error) {
        await runText(client, 'rollback')
        throw error
      }
    }),
  )
}

/** What one service needs of the database before a version of it starts. */
export interface ServiceDeployment {
  /** With the rights of the database's owner. */
  readonly ownerUrl: string
  /** The service's own URL: its user is the role, its password the role's. */
  readonly serviceUrl: string
  readonly schema: string
  readonly migrations: readonly Migration[]
}

/** Schema, role and migrations, in this order. Idempotent, and safe beside itself. Returns the migrations applied. */
export async function deployService({
  ownerUrl,
  serviceUrl,
  schema,
  migrations,
}: ServiceDeployment): Promise<string[]> {
  const { username: role, password } = new URL(serviceUrl)
  if (role !== schema) throw new Error(`POSTGRES_URL has the user ${role || '(none)'}: it must be the role ${schema}`)
  await provisionService(ownerUrl, { schema, role, password: decodeURIComponent(password) })
  return (await migrate(ownerUrl, { schema, migrations })).applied
}
