import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testPlatform } from '@bellyfed/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { documentSchemas } from './document-schemas.ts'
import { dumpSchema } from './dump-schema.ts'
import { entityDiagram } from './entity-diagram.ts'
import { assertMigrated, type Migration, MigrationMismatch, migrate } from './migrate.ts'
import { createPool } from './pool.ts'
import { provisionService } from './provision.ts'
import { inlineStatement } from './statement.ts'

const platform = testPlatform()
const schema = 'shop'

const first: Migration = {
  component: 'shop',
  id: '0001-create-items',
  sql: `create table items (id integer primary key, name text not null default 'no name');
        comment on table items is 'What is sold.';
        revoke update, delete on items from shop;`,
}
const second: Migration = {
  component: 'shop',
  id: '0002-create-sales',
  sql: `create table sales (
          item_id integer not null references items, at timestamptz not null, price numeric(8,2) check (price > 0)
        );
        create index sales_at on sales using brin (at);`,
}

describe('migrations', () => {
  test('twenty at once succeed, and each migration is applied once', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [] }])
    const migrators = Array.from({ length: 20 }, () => migrate(ownerUrl, { schema, migrations: [first, second] }))
    const applied = (await Promise.all(migrators)).flatMap((result) => result.applied)
    expect(applied.sort()).toEqual(['shop/0001-create-items', 'shop/0002-create-sales'])
  })

  test('run again, they do nothing', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [first] }])
    expect(await migrate(ownerUrl, { schema, migrations: [first] })).toEqual({ applied: [] })
  })

  test('a failing one is undone as a whole and can be tried again', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [first] }])
    const broken = { ...second, sql: `${second.sql} select no_such_function();` }
    await expect(migrate(ownerUrl, { schema, migrations: [first, broken] })).rejects.toThrow(
      'migration shop/0002-create-sales failed and was undone: function no_such_function() does not exist',
    )
    expect(await migrate(ownerUrl, { schema, migrations: [first, second] })).toEqual({
      applied: ['shop/0002-create-sales'],
    })
  })

  test('a changed one is refused', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [first] }])
    const changed = { ...first, sql: `${first.sql} -- a thought` }
    const refused = migrate(ownerUrl, { schema, migrations: [changed] })
    await expect(refused).rejects.toThrow('shop/0001-create-items was changed after it was applied')
  })

  test('need the role that their grants name', async () => {
    const { ownerUrl } = await platform.database([])
    const early = migrate(ownerUrl, { schema: 'not_provisioned', migrations: [] })
    await expect(early).rejects.toThrow('run provisionService')
  })
})

describe('a service', () => {
  test('starts on the schema that it knows', async () => {
    const database = await platform.database([{ schema, migrations: [first, second] }])
    await assertMigrated(await database.pool(schema), [first, second])
  })

  test('refuses a schema that is newer than itself, and says which version it needs', async () => {
    const database = await platform.database([{ schema, migrations: [first, second] }])
    const refused = assertMigrated(await database.pool(schema), [first])
    await expect(refused).rejects.toThrow(
      'it holds shop/0002-create-sales, this code knows up to shop/0001-create-items; run a version of the code that includes shop/0002-create-sales',
    )
    await expect(migrate(database.ownerUrl, { schema, migrations: [first] })).rejects.toThrow(MigrationMismatch)
  })

  test('refuses a schema that is older than itself, and says what it lacks', async () => {
    const database = await platform.database([{ schema, migrations: [first] }])
    const refused = assertMigrated(await database.pool(schema), [first, second])
    await expect(refused).rejects.toThrow('it lacks shop/0002-create-sales')
  })

  test('may write its tables, but neither what a migration revoked nor the journal', async () => {
    const database = await platform.database([{ schema, migrations: [first, second] }])
    const pool = await database.pool(schema)
    await pool.query(inlineStatement('insert', 'insert into items (id) values (1)'))
    await pool.query(inlineStatement('insert', 'insert into sales values (1, now(), 2)'))
    await pool.query(inlineStatement('update', 'update sales set price = 3'))
    for (const text of [
      'update items set id = 2',
      'delete from items',
      'delete from schema_migrations',
      'truncate items',
    ]) {
      await expect(pool.query(inlineStatement('forbidden', text))).rejects.toThrow('permission denied')
    }
    await expect(pool.query(inlineStatement('create', 'create table more (id integer)'))).rejects.toThrow(
      'permission denied',
    )
  })
})

describe('provisioning', () => {
  test('ten at once succeed, in several databases, and the last password holds', async () => {
    const databases = await Promise.all([platform.database([]), platform.database([])])
    const role = 'provisioned'
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        provisionService(databases[index % 2]?.ownerUrl ?? '', { schema: role, role, password: 'first' }),
      ),
    )
    const { ownerUrl, name } = databases[0]
    await provisionService(ownerUrl, { schema: role, role, password: "it's" })
    const url = new URL(ownerUrl)
    url.username = role
    url.password = "it's"
    url.pathname = `/${name}`
    const pool = createPool({ url: url.href, schema: role, applicationName: 'test' })
    await pool.start()
    await pool.stop()
  })
})

describe('schema documents', () => {
  test('the dump shows columns, constraints, indexes and grants', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [first, second] }])
    const dump = await dumpSchema(ownerUrl, schema)
    expect(dump).toContain(`-- What is sold.
create table items (
  id integer not null,
  name text not null default 'no name'::text,
  constraint items_pkey PRIMARY KEY (id)
);
grant insert, select on items to shop;
`)
    expect(dump).toContain('constraint sales_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id)')
    expect(dump).toContain('CREATE INDEX sales_at ON sales USING brin (at);')
  })

  test('two databases with the same migrations give the same bytes', async () => {
    const databases = await Promise.all([1, 2].map(() => platform.database([{ schema, migrations: [first, second] }])))
    const dumps = await Promise.all(databases.map(({ ownerUrl }) => dumpSchema(ownerUrl, schema)))
    expect(dumps[0]).toBe(dumps[1])
  })

  test('the diagram shows keys and relations', async () => {
    const { ownerUrl } = await platform.database([{ schema, migrations: [first, second] }])
    const diagram = await entityDiagram(ownerUrl, schema)
    expect(diagram).toContain('  items {\n    integer id PK\n    text name\n  }')
    expect(diagram).toContain('    numeric(8_2) price')
    expect(diagram).toContain('  items ||--o{ sales : "item_id"')
  })

  test('a check reports what drifted and writes nothing', async () => {
    const ownerUrl = await platform.postgresUrl()
    const directory = await mkdtemp(join(tmpdir(), 'schema-documents-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const options = { schemas: [{ schema, migrations: [first] }], directory }
    expect(await documentSchemas(ownerUrl, options)).toEqual({ changed: ['shop.sql', 'shop.md'] })
    expect(await documentSchemas(ownerUrl, { ...options, check: true })).toEqual({ changed: [] })
    await writeFile(join(directory, 'shop.sql'), 'edited')
    expect(await documentSchemas(ownerUrl, { ...options, check: true })).toEqual({ changed: ['shop.sql'] })
    expect(await readFile(join(directory, 'shop.sql'), 'utf8')).toBe('edited')
  })
})
