import { expect, test } from 'vitest'
import { createTimeReader } from './event-time.ts'

const iso = (timeMs: number | undefined) => (timeMs === undefined ? undefined : new Date(timeMs).toISOString())

test.each([
  ['M/d/yyyy', 'America/Los_Angeles', '1/18/2016', '2016-01-18T08:00:00.000Z'],
  ['M/d/yyyy', 'America/Los_Angeles', '08/30/2016', '2016-08-30T07:00:00.000Z'], // summer time
  ['yyyy-MM-dd HH:mm:ss', 'UTC', '2013-08-04 13:46:06', '2013-08-04T13:46:06.000Z'],
  ['yyyy-MM-dd HH:mm:ss', undefined, '2013-08-04 13:46:06', '2013-08-04T13:46:06.000Z'],
  ['iso', 'Europe/Berlin', '2020-07-01T12:00:00', '2020-07-01T10:00:00.000Z'],
  ['iso', 'Europe/Berlin', '2020-07-01T12:00:00.5Z', '2020-07-01T12:00:00.500Z'],
  ['epochSeconds', undefined, '1400000000.1239', '2014-05-13T16:53:20.123Z'],
  ['epochSeconds', undefined, '-0.0001', '1969-12-31T23:59:59.999Z'],
  ['epochMilliseconds', undefined, '1400000000123', '2014-05-13T16:53:20.123Z'],
])('%s in %s reads %s', (format, zone, text, expected) => {
  expect(iso(createTimeReader(zone === undefined ? { format } : { format, zone })(text))).toBe(expected)
})

test.each([
  ['M/d/yyyy', ''],
  ['M/d/yyyy', '2/30/2016'],
  ['M/d/yyyy', '13/1/2016'],
  ['M/d/yyyy', '1/18/16'],
  ['M/d/yyyy', 'yesterday'],
  ['iso', 'today'],
  ['epochSeconds', '2016-01-01'],
  ['epochMilliseconds', '1e30'],
])('%s cannot read %j', (format, text) => {
  const read = createTimeReader({ format })
  expect(read(text)).toBeUndefined()
  expect(read(text)).toBeUndefined() // also when remembered
})
