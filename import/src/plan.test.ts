import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkMapping } from './mapping.ts'
import { type Plan, planImport } from './plan.ts'

const directory = mkdtempSync(join(tmpdir(), 'import-plan-'))
afterAll(() => rmSync(directory, { recursive: true }))

const mapping = checkMapping({
  namespace: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  joins: { shops: { file: 'shops.csv', on: [{ column: 'place' }], key: [{ column: 'Shop' }] } },
  user: { key: [{ column: 'user' }] },
  restaurant: { key: [{ column: 'place' }], name: { column: 'place' }, city: { column: 'City', in: 'shops' } },
  dish: { key: [{ column: 'dish' }], name: { column: 'dish' }, type: { column: 'type' } },
  menu: { price: { column: 'price' } },
  rating: { value: { column: 'rating' } },
  time: { value: { column: 'time' }, format: 'iso' },
})

async function plan(lines: readonly string[]): Promise<Plan> {
  const file = join(directory, 'ratings.csv')
  writeFileSync(file, ['user,place,dish,type,price,rating,time', ...lines].join('\n'))
  writeFileSync(join(directory, 'shops.csv'), 'City,Shop\nKyoto, ICHIRAN \nOsaka,ichiran\n')
  return await planImport({
    file,
    mapping,
    mappingPath: join(directory, 'mapping.json'),
    nowMs: Date.parse('2026-11-21'),
  })
}

test('rows are in event-time order, and those of one time in the order of the file', async () => {
  const { rows } = await plan([
    'ann,a,x,soup,,1,2020-01-03',
    'bob,a,x,soup,,2,2020-01-01',
    'ann,a,x,soup,,3,2020-01-02',
    'bob,a,x,soup,,4,2020-01-01',
    'ann,a,x,soup,,5,2020-01-01',
  ])
  expect(rows.map(({ line }) => line)).toEqual([3, 5, 6, 4, 2])
})

test('an entity is as its earliest accepted row says, not as the first or a rejected one does', async () => {
  const { users, restaurants, dishes, menu } = await plan([
    'ANN,Ichiran,RAMEN,noodles,9,3,2020-01-03',
    'Ann,ichiran,Ramen,soup,8,3,2020-01-02',
    'ann,ICHIRAN,ramen,stew,7,3,2020-01-02', // of the same time, but later in the file
    'aNN,iCHIRAN,rAMEN,broth,6,9,2020-01-01', // rejected: out of range
  ])
  expect(users).toMatchObject([{ key: 'ann', facts: { displayName: 'Ann' } }])
  expect(restaurants).toMatchObject([{ key: 'ichiran', facts: { name: 'ichiran', city: 'Kyoto' } }])
  expect(dishes).toMatchObject([{ key: 'ramen', facts: { name: 'Ramen', dishType: 'soup' } }])
  expect(menu).toMatchObject([{ restaurant: 0, dish: 0, facts: { price: 8 } }])
})

test('a joined column is found whatever the case and blanks of its key, and blank where there is none', async () => {
  const { restaurants } = await plan(['ann,ichiRAN,x,soup,,1,2020-01-01', 'ann,other,x,soup,,1,2020-01-01'])
  expect(restaurants.map(({ facts }) => facts.city)).toEqual(['Kyoto', undefined])
})

test('every row is planned or rejected with its line', async () => {
  const result = await plan([
    'ann,a,x,soup,,3.335,2020-01-01',
    'broken',
    ',a,x,soup,,1,2020-01-01',
    'ann,a,x,soup,,1,2020-01-01',
  ])
  expect(result).toMatchObject({
    rowsRead: 4,
    ratingsRounded: 1,
    rows: [{ line: 2, ratingHundredths: 334 }, { line: 5 }],
    rejected: [
      { line: 3, reason: 'malformed-row' },
      { line: 4, reason: 'blank-user' },
    ],
  })
})
