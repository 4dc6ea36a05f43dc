import { expect, test } from 'vitest'
import { parseRecord } from './console-consumer.ts'

test('a printed record is taken apart, also when its schema id has visible bytes and its value tabs', () => {
  const line =
    'Partition:3\tOffset:17\tevent-type:DISH_RANKED,position:ranking-api/1/900/7\tu-1\t\\x00\\x00\\x00A\\x02a\tb'
  expect(parseRecord(line)).toEqual({
    partition: 3,
    offset: 17,
    headers: { 'event-type': 'DISH_RANKED', position: 'ranking-api/1/900/7' },
    key: 'u-1',
    magic: 0,
    schemaId: 0x4102,
  })
})
