import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { Role } from './json-web-keys.ts'
import { problem } from './problem.ts'

/**
 * How many requests each caller may make in a window. Callers are told apart by role and subject, those without a token
 * by address. Counted by each process for itself: with N processes behind a balancer a caller has up to N times as many.
 */
export interface RateLimitConfig {
  readonly windowMs: number
  /** A role that is not named is not limited. */
  readonly requestsMax: { readonly [Caller in Role | 'anonymous']?: number }
  /** Callers remembered; beyond it the one seen longest ago starts anew. 50,000 by default. */
  readonly callersMax?: number
}

const callersMaxDefault = 50_000

/** Limits requests per caller. Must be registered after authentication and before the routes. */
export async function limitRate(app: FastifyInstance, config: RateLimitConfig): Promise<void> {
  const limitOf = (request: FastifyRequest): number | undefined =>
    config.requestsMax[request.identity?.role ?? 'anonymous']
  await app.register(rateLimit, {
    global: true,
    hook: 'onRequest',
    enableDraftSpec: true,
    timeWindow: config.windowMs,
    cache: config.callersMax ?? callersMaxDefault,
    keyGenerator: (request) =>
      request.identity === null ? request.ip : `${request.identity.role} ${request.identity.subject}`,
    max: (request) => limitOf(request) ?? Number.MAX_SAFE_INTEGER,
    allowList: (request) => limitOf(request) === undefined,
    errorResponseBuilder: (_request, { max, ttl }) => {
      const seconds = Math.max(1, Math.ceil(ttl / 1_000))
      return problem('too-many-requests', {
        detail: `${max} requests in ${config.windowMs / 1_000} s are allowed; the next in ${seconds} s`,
        headers: { 'retry-after': String(seconds) },
      })
    },
  })
  app.addHook('onRoute', limitFirst)
}

/** The plugin appends its hook; moved to the front, it also counts what the route's authorisation refuses. */
function limitFirst(route: RouteOptions): void {
  if (!Array.isArray(route.onRequest)) return
  const limiting = route.onRequest.at(-1)
  if (limiting !== undefined) route.onRequest = [limiting, ...route.onRequest.slice(0, -1)]
}
