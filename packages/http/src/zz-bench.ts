import { writeFileSync } from 'node:fs'
import {
  createHttpServer,
  createSigningKey,
  nullable,
  type Routes,
  readJwks,
  requireSelfOr,
  signToken,
  Uuid,
} from '@bellyfed/http'
import { createLogger, createMetrics } from '@bellyfed/process'
import { Type } from 'typebox'

const { privateJwk, publicJwks } = await createSigningKey('k1')
const me = '0192d3b4-0000-7000-8000-000000000001'
const routes: Routes = (app) => {
  app.put(
    '/v1/users/:userId/rankings/:restaurantId/:dishId',
    {
      schema: {
        params: Type.Object({ userId: Uuid, restaurantId: Uuid, dishId: Uuid }),
        body: Type.Object({
          rank: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
          rating: Type.Optional(nullable(Type.Number({ minimum: 0.5, maximum: 5, multipleOf: 0.01 }))),
          notes: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
        }),
        response: {
          200: Type.Object({
            ranking: Type.Object({
              userId: Type.String(),
              dishId: Type.String(),
              rank: Type.Integer(),
              rating: nullable(Type.Number()),
            }),
            receipt: Type.String(),
          }),
        },
      },
      onRequest: requireSelfOr('service', 'admin'),
    },
    async (request, reply) => {
      reply.header('etag', '"12"')
      return {
        ranking: {
          userId: request.params.userId,
          dishId: request.params.dishId,
          rank: 1,
          rating: request.body.rating ?? null,
        },
        receipt: 'WyJyYW5raW5nLWFwaSIsMSwiMTIzNDU2IiwiMTIzNDU2Nzg5Iiwia2V5Il0',
      }
    },
  )
}
const on = (process.env.OFF ?? '').split(',')
const server = createHttpServer({
  host: '127.0.0.1',
  port: 4555,
  log: createLogger({ service: 'x', level: 'info' }),
  ...(!on.includes('metrics') && { metrics: createMetrics('x') }),
  auth: { keys: readJwks(publicJwks), issuer: 'i', audience: 'a' },
  openapi: { title: 't', version: '1' },
  routes: [routes],
  ...(!on.includes('rate') && { rateLimit: { windowMs: 1000, requestsMax: { user: 1_000_000 } } }),
})
if (process.env.FASTIFY) {
}
const token = await signToken(privateJwk, { sub: me, role: 'user', issuer: 'i', audience: 'a', expiresInSeconds: 600 })
writeFileSync('/tmp/httpbench/token', token)
await server.start()
process.on('SIGTERM', async () => {
  await server.stop()
  process.exit(0)
})
