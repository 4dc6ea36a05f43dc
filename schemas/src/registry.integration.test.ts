/** Against the real registry: what a fake would only repeat of our own assumptions. */
import { randomUUID } from 'node:crypto'
import { testPlatform } from '@bellyfed/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCodec } from './codec.ts'
import { InvalidPayload } from './invalid-payload.ts'
import { registerSchemas, releasedSubjects } from './register-schemas.ts'
import { IncompatibleSchema, type RegistryClient, registryClient, SchemaNotRegistered } from './registry.ts'

const platform = testPlatform()
let url: string
let registry: RegistryClient
beforeAll(async () => {
  url = (await platform.events()).registryUrl
  registry = registryClient(url)
})

interface Field {
  name: string
  type: unknown
  default?: unknown
}

/** A record of this test's own, under a subject of its own. */
function sample() {
  const name = `Sample${randomUUID().replaceAll('-', '')}`
  const schemaJson = (...fields: Field[]) =>
    JSON.stringify({ type: 'record', name, namespace: 'bellyfed.test', fields })
  return { subject: `test-bellyfed.test.${name}`, schemaJson }
}

const a: Field = { name: 'a', type: 'string' }
const b: Field = { name: 'b', type: ['null', 'string'], default: null }
const c: Field = { name: 'c', type: ['null', 'int'], default: null }

describe('registration', () => {
  test('twice, and twice at once, gives the same id', async () => {
    const { subject, schemaJson } = sample()
    const ids = await Promise.all([1, 2, 3].map(() => registryClient(url).register(subject, schemaJson(a))))
    expect(new Set([...ids, await registry.register(subject, schemaJson(a))]).size).toBe(1)
  })

  test('makes the subject hold every version compatible with every other', async () => {
    const { subject, schemaJson } = sample()
    await registry.register(subject, schemaJson(a))
    const config = await fetch(`${url}/config/${subject}`)
    expect(await config.json()).toMatchObject({ compatibilityLevel: 'FULL_TRANSITIVE' })
  })

  test('takes a field with a default, and an id of its own for it', async () => {
    const { subject, schemaJson } = sample()
    const first = await registry.register(subject, schemaJson(a))
    const second = await registry.register(subject, schemaJson(a, b))
    expect(second).not.toBe(first)
    expect(await registry.idOf(subject, schemaJson(a))).toBe(first)
    expect(await registry.idOf(subject, schemaJson(a, b))).toBe(second)
  })

  test.each([
    ['a field without default', [a, { name: 'd', type: 'string' }]],
    ['a required field removed', [b]],
    ['a type changed', [{ name: 'a', type: 'int' }]],
  ])('refuses %s', async (_what, fields) => {
    const { subject, schemaJson } = sample()
    await registry.register(subject, schemaJson(a, b))
    await expect(registry.register(subject, schemaJson(...fields))).rejects.toThrow(IncompatibleSchema)
  })

  test('refuses what only an earlier version forbids', async () => {
    const { subject, schemaJson } = sample()
    await registry.register(subject, schemaJson(a, b))
    await registry.register(subject, schemaJson(a))
    await registry.register(subject, schemaJson(a, c))
    const wrong = { name: 'b', type: ['null', 'int'], default: null }
    await expect(registry.register(subject, schemaJson(a, wrong))).rejects.toThrow(IncompatibleSchema)
  })

  test('of the released schemas is repeatable, and checking finds each of them', async () => {
    const registered = await registerSchemas(registry)
    expect(registered.map((one) => one.subject)).toStrictEqual(releasedSubjects.map((one) => one.subject))
    expect(await registerSchemas(registryClient(url), { check: true })).toStrictEqual(registered)
  })
})

describe('look-up', () => {
  test('a schema comes back by its id and decodes what was written with it', async () => {
    const [first] = releasedSubjects
    if (!first) throw new Error('Nothing is released')
    const id = await registry.idOf(first.subject, first.schemaJson)
    expect(JSON.parse(await registry.schemaOf(id))).toMatchObject({
      name: 'DishRanked',
      namespace: 'bellyfed.rankings',
    })
  })

  test('a schema that was never registered is said to be so', async () => {
    const { subject, schemaJson } = sample()
    await expect(registry.idOf(subject, schemaJson(a))).rejects.toThrow(SchemaNotRegistered)
    await registry.register(subject, schemaJson(a))
    await expect(registry.idOf(subject, schemaJson(a, b))).rejects.toThrow(SchemaNotRegistered)
  })

  test('an unknown id is a fault of the payload, an absent registry is not', async () => {
    await expect(registry.schemaOf(2_000_000_000)).rejects.toThrow(InvalidPayload)
    const codec = createCodec({ writerSchema: (id) => registry.schemaOf(id) })
    await codec.prepare([2_000_000_000])
    expect(() => codec.decode(Buffer.from([0, 0x77, 0x35, 0x94, 0, 0]))).toThrow(/unknown-schema/)

    const absent = createCodec({ writerSchema: (id) => registryClient('http://127.0.0.1:1').schemaOf(id) })
    const failure = await absent.prepare([1]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(failure).not.toBeInstanceOf(InvalidPayload)
  })
})
