import { inlineStatement } from '@bellyfed/postgres'
import { describe, expect, test } from 'vitest'
import { decoded } from './events.ts'
import { testPlatform } from './platform.ts'

const platform = testPlatform()
const migrations = [
  { component: 'sample', id: '0001-create-notes', sql: 'create table notes (id bigint primary key, note text)' },
]
const insertNote = inlineStatement('insert-note', 'insert into notes (id, note) values ($1, $2)')
const countNotes = inlineStatement('count-notes', 'select count(*)::int as count from notes')

describe('test platform', () => {
  test('a database has the service schema, and is not shared with another one', async () => {
    const services = [{ schema: 'sample', migrations }]
    const [one, other] = await Promise.all([platform.database(services), platform.database(services)])
    const pool = await one.pool('sample')
    await pool.query(insertNote, [1, 'hello'])
    expect((await (await one.pool('sample')).query(countNotes)).rows).toEqual([{ count: 1 }])
    expect((await (await other.pool('sample')).query(countNotes)).rows).toEqual([{ count: 0 }])
  })

  test('records come back as they were appended, in order per key', async () => {
    const kafka = await platform.kafka({ topics: ['dish-rankings'], partitionCount: 2 })
    const keys = ['a', 'b', 'c', 'd']
    const records = Array.from({ length: 200 }, (_, index) => ({
      key: keys[index % keys.length] as string,
      value: Buffer.from(String(index)),
      headers: { number: String(index) },
      timestampMs: 1_000 + index,
    }))
    await kafka.append('dish-rankings', records)
    const read = await kafka.readAll('dish-rankings')
    expect(read.length).toBe(200)
    for (const key of keys) {
      const sent = records.filter((record) => record.key === key).map((record) => record.value.toString())
      expect(read.filter((record) => record.key?.toString() === key).map((record) => record.value?.toString())).toEqual(
        sent,
      )
    }
  })

  test('an empty topic reads as nothing', async () => {
    const kafka = await platform.kafka({ topics: ['user-activity'] })
    expect(await kafka.readAll('user-activity')).toEqual([])
  })

  test('every event builder makes an event that its schema accepts and that decodes to the same', async () => {
    const events = await platform.events()
    const built = [decoded.ranked(), decoded.updated({ newRatingHundredths: 457 }), decoded.removed({ city: null })]
    for (const event of built) expect(events.codec.decode(events.encode(event))).toEqual(event)
  })

  test('a record is keyed by its user and says its position as the relay does', async () => {
    const events = await platform.events()
    const event = decoded.ranked({ user: 'bob' })
    const record = events.record(event, { position: 7n, xid: 5n })
    expect(record.key).toBe(event.event.userId)
    expect(record.headers).toMatchObject({ 'event-type': 'DISH_RANKED', position: 'ranking-api/1/5/7' })
    expect(record.headers).not.toHaveProperty('republished')
  })
})
