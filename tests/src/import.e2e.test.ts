/** The bundled burritos, imported by the command of the README, and followed to every place that keeps them. */
import { readFile } from 'node:fs/promises'
import { schemaDefinitions } from '@bellyfed/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consumeWithKafkasOwnConsumer } from './console-consumer.ts'
import { expectAgreement, type Ledger, readCounts, readLedger, untilHistoryHasAll } from './ledger.ts'
import { root } from './npm-script.ts'
import { createPlatform, type Platform } from './platform.ts'

interface ImportReport {
  readonly isFinished: boolean
  readonly rowsRead: number
  readonly accepted: number
  readonly unchanged: number
  readonly repeated: number
  readonly rejected: number
  readonly notSent: number
  readonly rejectedRows: readonly { readonly line: number; readonly reason: string; readonly detail: string }[]
  readonly rowsPerSecond: number
}

const rowCount = 423
const topic = 'dish-rankings'

let platform: Platform
let ledger: Ledger

beforeAll(async () => {
  platform = await createPlatform({ importsRatings: false })
  await platform.start()
})

afterAll(() => platform.remove())

async function importBurritos(): Promise<ImportReport> {
  const { code, stdout, stderr } = await platform.npm('import', [
    'examples/burritos.csv',
    '--mapping',
    'examples/burritos.mapping.json',
    '--base-url',
    platform.places().api,
    '--token',
    await platform.token('service'),
    '--json',
  ])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as ImportReport
}

test('the import accounts for all 423 rows, each accepted or rejected with its line and a reason', async () => {
  const report = await importBurritos()
  const { rowsRead, accepted, unchanged, repeated, rejected, notSent, rejectedRows, rowsPerSecond } = report
  console.log(
    `import: ${rowsRead} rows = ${accepted} accepted + ${rejected} rejected, ${Math.round(rowsPerSecond)} rows/s`,
  )
  expect(report.isFinished).toBe(true)
  expect([rowsRead, unchanged, repeated, notSent]).toEqual([rowCount, 0, 0, 0])
  expect(accepted + rejected).toBe(rowCount)
  expect(rejectedRows).toHaveLength(rejected)
  const lines = (await readFile(`${root}examples/burritos.csv`, 'utf8')).split('\n')
  for (const { line, reason, detail } of rejectedRows) {
    expect(lines[line - 1], `line ${line}`).toBeTruthy()
    expect([reason, detail]).toEqual([expect.stringMatching(/^[a-z-]+$/), expect.stringMatching(/\S/)])
  }
  expect(new Set(rejectedRows.map(({ line }) => line)).size).toBe(rejected)
  expect((await untilHistoryHasAll(platform.places())).events).toBeGreaterThanOrEqual(accepted)
})

test('event store, topic and history agree for every user, in order', async () => {
  await untilHistoryHasAll(platform.places())
  ledger = await readLedger(platform.places())
  expect(expectAgreement(ledger).duplicateCount).toBe(0)
  const own = ledger.history.filter(({ cause }) => cause !== 'shifted')
  expect(new Set(own.map(({ userId, commandId }) => `${userId}/${commandId}`)).size).toBe(own.length)
  const userCount = new Set(ledger.events.map(({ userId }) => userId)).size
  console.log(`${ledger.events.length} events of ${userCount} users: store, topic and history agree`)
})

test('a second import changes nothing', async () => {
  const before = await untilHistoryHasAll(platform.places())
  const { rowsRead, accepted, unchanged, repeated, rejected } = await importBurritos()
  expect([rowsRead, accepted, unchanged]).toEqual([rowCount, 0, 0])
  expect(repeated + rejected).toBe(rowCount)
  expect(await readCounts(platform.places())).toEqual(before)
})

test("Kafka's own consumer sees every record, and the registry serves each one's schema over plain HTTP", async () => {
  const { brokers, registry } = platform.places()
  const printed = await consumeWithKafkasOwnConsumer({ brokers, topic, recordCount: ledger.records.length })
  const place = ({ partition, eventId }: { partition: number; eventId: string | undefined }) =>
    `${partition}/${eventId}`
  const seen = printed.map(({ partition, headers }) => place({ partition, eventId: headers['event-id'] }))
  expect(seen.sort()).toEqual(ledger.records.map(place).sort())
  expect(printed.filter(({ magic, key }) => magic !== 0 || !/^[0-9a-f-]{36}$/.test(key))).toEqual([])

  const typesOfSchema = Map.groupBy(printed, ({ schemaId }) => schemaId)
  for (const [id, records] of typesOfSchema) {
    const response = await fetch(`${registry}/schemas/ids/${id}`)
    expect(response.status).toBe(200)
    const { schema } = (await response.json()) as { schema: string }
    const { namespace, name } = JSON.parse(schema) as { namespace: string; name: string }
    const [eventType, ...others] = new Set(records.map(({ headers }) => headers['event-type']))
    expect(others).toEqual([])
    expect(`${namespace}.${name}`).toBe(schemaDefinitions.recordFor(eventType as 'DISH_RANKED'))
    console.log(`schema ${id}: ${name}, ${records.length} records`)
  }
  expect(typesOfSchema.size).toBeGreaterThan(1)
})
