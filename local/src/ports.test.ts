import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { anyFreePort, choosePort, isPortFree } from './ports.ts'
import { listensOn } from './process-identity.ts'

const allBut =
  (...busy: number[]) =>
  async (port: number): Promise<boolean> =>
    !busy.includes(port)
const none: ReadonlySet<number> = new Set()

test('the usual port is chosen when it is free', async () => {
  expect(await choosePort({ usual: 5432, taken: none, isFree: allBut() })).toBe(5432)
})

test('the next free port is chosen when the usual one is taken', async () => {
  expect(await choosePort({ usual: 5432, taken: none, isFree: allBut(5432, 5433) })).toBe(5434)
})

test('a remembered port comes before the usual one', async () => {
  expect(await choosePort({ usual: 5432, remembered: 5440, taken: none, isFree: allBut() })).toBe(5440)
})

test('a remembered port that is taken by now is given up', async () => {
  expect(await choosePort({ usual: 5432, remembered: 5440, taken: none, isFree: allBut(5440) })).toBe(5432)
})

test('a port already given to another part is not given again', async () => {
  expect(await choosePort({ usual: 8080, taken: new Set([8080]), isFree: allBut() })).toBe(8081)
})

test('no free port is an error that names the range', async () => {
  await expect(choosePort({ usual: 5432, taken: none, isFree: async () => false })).rejects.toThrow(/5432 to 5631/)
})

test('a port somebody listens on is not free, and is free again afterwards', async () => {
  const port = await anyFreePort()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  expect(await isPortFree(port)).toBe(false)
  expect(listensOn(process.pid, port)).toBe(true)
  await new Promise((resolve) => server.close(resolve))
  expect(await isPortFree(port)).toBe(true)
})

test.runIf(process.platform === 'linux')('a listener of another process is not taken for ours', async () => {
  const port = await anyFreePort()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  expect(listensOn(process.ppid, port)).toBe(false)
  await new Promise((resolve) => server.close(resolve))
})
