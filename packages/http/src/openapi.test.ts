import { expect, test } from 'vitest'
import { rankingPath, self, testServer } from './testing/fixtures.ts'

interface Operation {
  readonly security?: readonly unknown[]
  readonly requestBody?: { content: Record<string, { schema: { additionalProperties?: unknown } }> }
  readonly responses: Record<string, { content?: Record<string, unknown> }>
}

async function paths(): Promise<Record<string, Record<string, Operation>>> {
  const response = await testServer().app.inject({ url: '/openapi.json' })
  expect(response.json().openapi).toBe('3.1.0')
  return response.json().paths
}

test('every route is in the document, with the problems it can answer', async () => {
  const operations = await paths()
  const put =
    operations[rankingPath.replace(self, '{userId}').replace(/rankings\/.*/, 'rankings/{restaurantId}/{dishId}')]?.put
  expect(Object.keys(put?.responses ?? {})).toEqual([
    '200',
    '400',
    '401',
    '403',
    '404',
    '413',
    '415',
    '429',
    '500',
    '503',
  ])
  expect(put?.responses['400']?.content).toEqual({
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  })
})

test('bodies are documented as closed, as they are validated', async () => {
  const batch = (await paths())['/v1/rankings/batch']?.post
  expect(batch?.requestBody?.content['application/json']?.schema.additionalProperties).toBe(false)
})

test('a public route is documented as one', async () => {
  const operations = await paths()
  expect(operations['/v1/taken']?.get?.security).toBeUndefined()
})
