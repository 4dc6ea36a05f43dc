/** A server with routes of every kind, and tokens for it; for the tests of this package. */
import { createLogger, createMetrics, type Metrics } from '@bellyfed/process'
import type { LightMyRequestResponse } from 'fastify'
import { Type } from 'typebox'
import { requireRole, requireSelfOr } from '../authentication.ts'
import { createSigningKey, readJwks, signToken, type TokenClaims } from '../json-web-keys.ts'
import { problem } from '../problem.ts'
import { nullable, Uuid } from '../schemas.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions, type Routes } from '../server.ts'

export const issuer = 'https://issuer.test'
export const audience = 'bellyfed'
export const self = '0192d3b4-0000-7000-8000-000000000001'
export const other = '0192d3b4-0000-7000-8000-000000000002'
export const restaurant = '0192d3b4-0000-7000-8000-0000000000aa'
export const dish = '0192d3b4-0000-7000-8000-0000000000bb'
export const rankingPath = `/v1/users/${self}/rankings/${restaurant}/${dish}`

const signing = await createSigningKey('test-1')
export const { privateJwk, publicJwks } = signing

/** A token for `self`, unless told otherwise. */
export function token(claims: Partial<TokenClaims> = {}): Promise<string> {
  return signToken(privateJwk, { sub: self, role: 'user', issuer, audience, expiresInSeconds: 300, ...claims })
}

export async function bearer(claims: Partial<TokenClaims> = {}): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await token(claims)}` }
}

export const rankingBody = Type.Object({
  rank: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  rating: Type.Optional(nullable(Type.Number({ minimum: 0.5, maximum: 5, multipleOf: 0.01 }))),
  notes: Type.Optional(Type.Union([Type.String({ maxLength: 20 }), Type.Null()])),
  photoUrl: Type.Optional(nullable(Type.String({ format: 'uri', maxLength: 200 }))),
  rankedAt: Type.Optional(Type.String({ format: 'date-time' })),
})

/** Routes with the shapes that services have. */
export const exampleRoutes: Routes = (app) => {
  app.put(
    '/v1/users/:userId/rankings/:restaurantId/:dishId',
    {
      schema: {
        params: Type.Object({ userId: Uuid, restaurantId: Uuid, dishId: Uuid }),
        body: rankingBody,
        response: { 200: Type.Object({ userId: Type.String(), rating: nullable(Type.Number()) }) },
      },
      onRequest: requireSelfOr('service', 'admin'),
    },
    async (request) => ({
      userId: request.params.userId,
      rating: request.body.rating ?? null,
      surplus: 'not in the schema',
    }),
  )
  app.post(
    '/v1/rankings/batch',
    {
      schema: { body: Type.Object({ commands: Type.Array(rankingBody, { minItems: 1, maxItems: 500 }) }) },
      onRequest: requireRole('service'),
    },
    async (request) => ({ count: request.body.commands.length }),
  )
  app.get(
    '/v1/users/:id/history',
    {
      schema: {
        params: Type.Object({ id: Uuid }),
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }) }),
      },
      onRequest: requireSelfOr('service'),
    },
    async (request) => ({ limit: request.query.limit }),
  )
  app.get('/v1/public', { config: { isPublic: true } }, async (request) => ({ trace: request.trace.traceparent }))
  app.get('/v1/broken', async () => {
    throw new Error('connect ECONNREFUSED 10.1.2.3:5432 as ranking_api')
  })
  app.get('/v1/taken', async () => {
    throw problem('list-changed', {
      status: 412,
      title: 'The list has changed',
      extensions: { list: [1, 2] },
      headers: { etag: '"7"' },
    })
  })
  app.get('/v1/never', { config: { timeoutMs: 50 } }, () => new Promise<never>(() => {}))
}

/** A server with `exampleRoutes`; not started, for `inject`. */
export function testServer(options: Partial<HttpServerOptions> = {}): HttpServer & { metrics: Metrics } {
  const metrics = createMetrics('test', { processMetrics: false })
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: createLogger({ service: 'test', level: 'silent' }),
    metrics,
    auth: { keys: readJwks(publicJwks), issuer, audience },
    openapi: { title: 'Test', version: '1.0.0' },
    routes: [exampleRoutes],
    bodyLimitBytes: 4_096,
    ...options,
  })
  return Object.assign(server, { metrics })
}

/** What a response says as a problem: status, slug, the broken rules as `field rule`. */
export function problemIn(response: LightMyRequestResponse): { status: number; slug: string; errors: string[] } {
  const document: { type: string; errors?: { field: string; rule: string }[] } = response.json()
  return {
    status: response.statusCode,
    slug: document.type.replace('https://bellyfed.dev/problems/', ''),
    errors: (document.errors ?? []).map(({ field, rule }) => `${field} ${rule}`),
  }
}
