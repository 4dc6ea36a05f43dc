import { validate, version } from 'uuid'
import { expect, test } from 'vitest'
import { createIdMint } from './mint-id.ts'

test('ids are UUIDv7 of now, and none comes twice', () => {
  const mintId = createIdMint()
  const beforeMs = Date.now()
  const ids = Array.from({ length: 5_000 }, mintId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true)
  const mintedMs = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16))
  expect(Math.min(...mintedMs)).toBeGreaterThanOrEqual(beforeMs)
  expect(Math.max(...mintedMs)).toBeLessThanOrEqual(Date.now())
})
