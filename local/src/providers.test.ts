import { expect, test } from 'vitest'
import { layoutOf } from './layout.ts'
import { kafkaProvider, type ProviderContext, postgresProvider, registryProvider } from './providers.ts'
import { rememberedPorts } from './remembered-ports.ts'

const never = new Promise<never>(() => undefined)

function context(environment: NodeJS.ProcessEnv): ProviderContext {
  return {
    layout: layoutOf({ BELLYFED_LOCAL_DIR: '/nowhere' }),
    environment,
    ports: rememberedPorts('/nowhere/ports.json'),
    packages: { kafka: () => never, registry: () => never },
    log: () => undefined,
  }
}

test('a part is run by us unless the environment names its endpoint', () => {
  expect(postgresProvider(context({})).kind).toBe('process')
  expect(kafkaProvider(context({ KAFKA_BROKERS: '' })).kind).toBe('process')
  expect(registryProvider(context({}), never).kind).toBe('process')
  expect(postgresProvider(context({ POSTGRES_URL: 'postgres://db/bellyfed' })).kind).toBe('given')
  expect(kafkaProvider(context({ KAFKA_BROKERS: 'a:9092,b:9092' })).kind).toBe('given')
  expect(registryProvider(context({ SCHEMA_REGISTRY_URL: 'http://registry' }), never).kind).toBe('given')
})

test('a given part that does not answer is an error that names the variable', async () => {
  const provider = kafkaProvider(context({ KAFKA_BROKERS: '127.0.0.1:1' }))
  await expect(provider.provide()).rejects.toThrow('KAFKA_BROKERS names a kafka that does not answer')
})

test('an endpoint that is none is refused before anything starts', () => {
  expect(() => postgresProvider(context({ POSTGRES_URL: 'localhost:5432' }))).toThrow('POSTGRES_URL must be a URL')
  expect(() => kafkaProvider(context({ KAFKA_BROKERS: 'localhost' }))).toThrow('must be host:port')
  expect(() => registryProvider(context({ SCHEMA_REGISTRY_URL: 'ftp://x' }), never)).toThrow('SCHEMA_REGISTRY_URL')
})
