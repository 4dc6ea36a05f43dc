/**
 * The bundled data, counted by hand and by another program (Python's csv and decimal modules, from the description of the
 * data and not from this code). The numbers below are those counts.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { catalogueIds } from './catalogue.ts'
import { commandId } from './identity.ts'
import { readMapping } from './mapping.ts'
import { type Plan, planImport } from './plan.ts'
import { countByReason } from './report.ts'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))

async function planOf(file: string, mappingName: string): Promise<Plan> {
  const mappingPath = example(mappingName)
  const nowMs = Date.parse('2026-11-21T00:00:00Z')
  return await planImport({ file: example(file), mapping: readMapping(mappingPath), mappingPath, nowMs })
}

const sizes = ({ users, restaurants, dishes, menu }: Plan) =>
  [users, restaurants, dishes, menu].map((list) => list.length)

test('burritos.csv: 423 rows, 420 accepted, 3 rejected, 1 rating rounded', async () => {
  const plan = await planOf('burritos.csv', 'burritos.mapping.json')
  expect(plan.fileSha256).toBe('6cfbce1c82cbb9a2d64302936e540ee260759781c28bbe9527f9a4caa230bb66')
  expect(plan).toMatchObject({ rowsRead: 423, ratingsRounded: 1 })
  expect(plan.rows).toHaveLength(420)
  expect(plan.rejected.map(({ line, reason }) => [line, reason])).toEqual([
    [136, 'blank-user'],
    [174, 'neither-rating-nor-rank'],
    [175, 'neither-rating-nor-rank'],
  ])
  expect(sizes(plan)).toEqual([103, 98, 116, 256])
  expect(plan.rows.filter(({ notes }) => notes !== null)).toHaveLength(146)
  expect(plan.menu.every(({ facts }) => facts.price === undefined || (facts.price >= 2.99 && facts.price <= 25))).toBe(
    true,
  )
  expect(plan.rows.find(({ line }) => line === 2)).toMatchObject({ ratingHundredths: 380, notes: 'good fries: 4/5' })
})

test('burritos.csv: the outliers among the dates are the first and the last', async () => {
  const { rows } = await planOf('burritos.csv', 'burritos.mapping.json')
  expect(new Date(rows[0]?.timeMs ?? 0).toISOString()).toBe('2011-05-16T07:00:00.000Z')
  expect(new Date(rows.at(-1)?.timeMs ?? 0).toISOString()).toBe('2026-04-25T07:00:00.000Z')
})

test('burritos.csv: a shop has its coordinates from the second file, and ids that Python agrees with', async () => {
  const plan = await planOf('burritos.csv', 'burritos.mapping.json')
  const shop = plan.restaurants.findIndex(({ key }) => key === "donato's taco shop")
  expect(plan.restaurants[shop]?.facts).toEqual({
    name: "Donato's taco shop",
    address: '6780 Miramar Rd',
    city: 'San Diego area',
    cuisineTypes: ['Mexican'],
    latitude: 32.8789964,
    longitude: -117.1688463,
  })
  const ids = catalogueIds(plan)
  expect(ids.restaurants[shop]).toBe('af00a6b6-5a3f-5659-9f86-0d8e6559ecba')
  expect(ids.users[plan.users.findIndex(({ key }) => key === 'scott')]).toBe('9e7da64b-b87a-5500-b10d-4b3ed48112f7')
  expect(ids.dishes[plan.dishes.findIndex(({ key }) => key === 'california')]).toBe(
    '3ec8824d-7245-5f94-ab27-bda7a11a197f',
  )
  const { namespace, fileSha256 } = plan
  expect(commandId(namespace, { rowId: null, fileSha256, line: 2 })).toBe('866fd4d2-005c-5286-aa8c-3e3a056351ec')
  expect(plan.restaurants.filter(({ facts }) => facts.latitude !== undefined)).toHaveLength(66)
})

test('untappd_checkins.csv: 1,733 rows, 1,655 accepted, 78 rejected', async () => {
  const plan = await planOf('untappd_checkins.csv', 'untappd.mapping.json')
  expect(plan.fileSha256).toBe('ed465bb1c39e5a1289e94386440d3b05c83bf8bb0119b7cc2eb5cc57f4a83768')
  expect(plan).toMatchObject({ rowsRead: 1733, ratingsRounded: 0 })
  expect(plan.rows).toHaveLength(1655)
  expect(countByReason(plan.rejected)).toEqual({ 'blank-restaurant': 72, 'neither-rating-nor-rank': 6 })
  const unrated = plan.rejected.filter(({ reason }) => reason === 'neither-rating-nor-rank')
  expect(unrated.map(({ line }) => line)).toEqual([213, 443, 641, 826, 1264, 1498])
  expect(sizes(plan)).toEqual([1, 318, 1378, 1525])
  expect(plan.rows.filter(({ notes }) => notes !== null)).toHaveLength(580)
  expect(new Set(plan.rows.map(({ rowId }) => rowId)).size).toBe(1655)
  const ids = catalogueIds(plan)
  const row = plan.rows[0]
  expect(row).toMatchObject({ line: 2, timeMs: Date.parse('2013-08-04T13:46:06Z'), ratingHundredths: 350 })
  expect(ids.users).toEqual(['2a5a1c0a-94e6-5f4a-9da3-f4dc0f5fd64d'])
  expect(ids.restaurants[row?.restaurant ?? -1]).toBe('4bc02c7a-59d2-5c2e-a7e7-cbfcc03f5e68')
  expect(ids.dishes[row?.dish ?? -1]).toBe('f99e626f-db2f-5c25-94df-301e39a5093a')
  const { namespace, fileSha256 } = plan
  const id = commandId(namespace, { rowId: row?.rowId ?? null, fileSha256, line: 2 })
  expect(id).toBe('455ead5b-4161-5a72-bfba-96032ace6fe5')
})

test.each(['burritos.mapping.json', 'untappd.mapping.json'])('%s names the schema that it is checked by', (name) => {
  const { $schema } = JSON.parse(readFileSync(example(name), 'utf8')) as { $schema: string }
  expect(readFileSync(new URL($schema, new URL('../../examples/', import.meta.url)), 'utf8')).toContain('"$defs"')
})
