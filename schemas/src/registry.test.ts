import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { InvalidPayload } from './invalid-payload.ts'
import { IncompatibleSchema, registryClient, SchemaNotRegistered } from './registry.ts'

let silent: Server
beforeAll(async () => {
  silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  silent.closeAllConnections()
  silent.close()
})

test.each(['idOf', 'schemaOf', 'register'] as const)(
  '%s of a registry that never answers fails in time, as a dependency that is away',
  async (call) => {
    const { port } = silent.address() as AddressInfo
    const registry = registryClient(`http://127.0.0.1:${port}`, { requestTimeoutMs: 50 })
    const schema = '{"type":"record","name":"A","fields":[]}'
    const calls = {
      idOf: () => registry.idOf('subject', schema),
      schemaOf: () => registry.schemaOf(1),
      register: () => registry.register('subject', schema),
    }
    const failure = await calls[call]().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    for (const fault of [InvalidPayload, SchemaNotRegistered, IncompatibleSchema])
      expect(failure).not.toBeInstanceOf(fault)
  },
)
