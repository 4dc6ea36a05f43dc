import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rememberedPorts } from './remembered-ports.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ports-'))
  path = join(directory, 'ports.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

const free = async (): Promise<boolean> => true

test('a port chosen because the usual one was taken stays when the usual one is free again', async () => {
  expect(await rememberedPorts(path, async (port) => port !== 8080).portOf('api', 8080)).toBe(8081)
  expect(await rememberedPorts(path, free).portOf('api', 8080)).toBe(8081)
})

test('parts that ask side by side get different ports', async () => {
  const ports = rememberedPorts(path, free)
  const chosen = await Promise.all(['a', 'b', 'c'].map((name) => ports.portOf(name, 9000)))
  expect(new Set(chosen).size).toBe(3)
})

test('the same name gets the same port within one start', async () => {
  const ports = rememberedPorts(path, free)
  expect(await ports.portOf('api', 8080)).toBe(await ports.portOf('api', 8080))
})

test('a port remembered for one part is not given to another', async () => {
  await rememberedPorts(path, async (port) => port !== 8080).portOf('api', 8080)
  expect(await rememberedPorts(path, async (port) => port !== 8080).portOf('registry', 8080)).toBe(8082)
})

test('a file that cannot be read counts as empty', async () => {
  writeFileSync(path, '{"api": "eight thousand"')
  expect(await rememberedPorts(path, free).portOf('api', 8080)).toBe(8080)
  writeFileSync(path, '{"api": 99999999}')
  expect(await rememberedPorts(path, free).portOf('api', 8080)).toBe(8080)
})

test('a port that somebody else took meanwhile is replaced, and the replacement stays', async () => {
  const ports = rememberedPorts(path, free)
  expect(await ports.portOf('api', 8080)).toBe(8080)
  ports.forget('api')
  expect(await ports.portOf('api', 8080)).toBe(8081)
  expect(await rememberedPorts(path, free).portOf('api', 8080)).toBe(8081)
})
