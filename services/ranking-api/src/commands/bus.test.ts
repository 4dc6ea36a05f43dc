import { expect, expectTypeOf, test } from 'vitest'
import { createCommandBus, createQueryBus } from './bus.ts'

interface Commands {
  'dish.rank': { in: { dishId: string }; out: number }
  'dish.forget': { in: string; out: boolean }
}

test('a command reaches its handler, and its result comes back', async () => {
  const bus = createCommandBus<Commands>()
    .register('dish.rank', ({ dishId }) => dishId.length)
    .register('dish.forget', async (dishId) => dishId === 'a')
  const result = await bus.execute('dish.rank', { dishId: 'abc' })
  expectTypeOf(result).toEqualTypeOf<number>()
  expect(result).toBe(3)
  expect(await bus.execute('dish.forget', 'a')).toBe(true)
  expect(bus.names()).toEqual(['dish.forget', 'dish.rank'])
})

test('a name without a handler is refused', async () => {
  await expect(createQueryBus<Commands>().execute('dish.rank', { dishId: 'a' })).rejects.toMatchObject({
    code: 'unknown',
    message: 'no handler for query dish.rank',
  })
  const inherited = createQueryBus<Record<string, { in: unknown; out: unknown }>>()
  await expect(inherited.execute('constructor', {})).rejects.toMatchObject({ code: 'unknown' })
})

test('a second handler for a name is refused', () => {
  const bus = createCommandBus<Commands>().register('dish.rank', () => 1)
  expect(() => bus.register('dish.rank', () => 2)).toThrow('command dish.rank has a handler already')
})

test("a handler's failure is the caller's", async () => {
  const bus = createCommandBus<Commands>().register('dish.rank', () => {
    throw new Error('broken')
  })
  await expect(bus.execute('dish.rank', { dishId: 'a' })).rejects.toThrow('broken')
})
