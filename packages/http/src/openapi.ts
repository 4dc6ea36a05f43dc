/**
 * The OpenAPI 3.1 document, generated from the route schemas, at /openapi.json. Each route is documented with the
 * problems that the base itself can answer; what a route refuses beyond that, its author adds to `response`.
 */
import swagger, { type SwaggerTransform } from '@fastify/swagger'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { problemContentType, standardProblems } from './problem.ts'
import { ProblemSchema } from './schemas.ts'

/** The heading of the document. */
export interface OpenApiConfig {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/** Registers the generator; must be registered before the routes. */
export async function documentRoutes(app: FastifyInstance, config: OpenApiConfig): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: config.title, version: config.version, description: config.description ?? '' },
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        schemas: { Problem: JSON.parse(JSON.stringify(ProblemSchema)) },
      },
      security: [{ token: [] }],
    },
    transform: withProblems,
  })
  app.get('/openapi.json', { config: { isPublic: true }, schema: { hide: true } }, () => app.swagger())
}

const withProblems: SwaggerTransform = ({ schema, url, route }) => {
  if (schema === undefined || schema.hide === true) return { schema: schema ?? {}, url }
  const isPublic = route.config?.isPublic === true
  const response: Record<string, unknown> = {}
  for (const status of problemStatuses(schema, route, isPublic)) response[status] = problemResponse(status)
  Object.assign(response, schema.response)
  return { schema: { ...schema, ...(isPublic && { security: [] }), response }, url }
}

function problemStatuses(schema: FastifySchema, route: RouteOptions, isPublic: boolean): readonly number[] {
  const statuses = [429, 500, 503]
  if (schema.body !== undefined || schema.querystring !== undefined || schema.params !== undefined) statuses.push(400)
  if (!isPublic) statuses.push(401, 403)
  if (route.url.includes(':')) statuses.push(404)
  if (schema.body !== undefined) statuses.push(413, 415)
  return statuses
}

function problemResponse(status: number): object {
  const titles = Object.values(standardProblems).filter((known) => known.status === status)
  return {
    description: titles.map(({ title }) => title).join(', or: '),
    content: { [problemContentType]: { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
