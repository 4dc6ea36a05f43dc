/**
 * Routes that another service answers. The gateway checks the token, the limits, the caller's right and the request's
 * form, as on its own routes, and passes the request on with its token and its trace. What comes back is passed through,
 * the upstream's problem documents included; when nothing usable comes back, the answer is a problem of our own that
 * names the service but never its address.
 */

import type { Readable } from 'node:stream'
import type { Metrics } from '@bellyfed/process'
import replyFrom from '@fastify/reply-from'
import type { FastifyReply, FastifySchema, onRequestHookHandler } from 'fastify'
import { sendProblem } from './error-handler.ts'
import { Problem, problem } from './problem.ts'
import type { Routes } from './server.ts'

/** The service behind the gateway. */
export interface Upstream {
  /** What the service is called, in problems and metrics. */
  readonly name: string
  /** Where it listens, without a path. */
  readonly url: string
  /** Longest time for its whole answer; 5 s by default. */
  readonly timeoutMs?: number
  /** Connections kept to it; 32 by default. */
  readonly connectionsMax?: number
}

/** One route that is passed on; the path is the same on both sides. */
export interface ProxiedRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly schema?: FastifySchema
  readonly isPublic?: boolean
  readonly onRequest?: onRequestHookHandler | onRequestHookHandler[]
}

/** Options of `proxyRoutes`. */
export interface ProxyOptions {
  readonly upstream: Upstream
  readonly routes: readonly ProxiedRoute[]
  readonly metrics?: Metrics
}

const timeoutMsDefault = 5_000
const connectTimeoutMs = 1_000
const connectionsMaxDefault = 32
/** What is passed on. Everything else, cookies and addresses included, stays here. */
const forwardedHeaders = [
  'authorization',
  'accept',
  'content-type',
  'content-length',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
] as const
/** What an upstream says about itself, or what the gateway says in its place. */
const droppedHeaders = new Set([
  'server',
  'x-powered-by',
  'via',
  'trace-id',
  'connection',
  'keep-alive',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
])

/** One route that another service answers. */
export function proxyRoute(upstream: Upstream, route: ProxiedRoute, metrics?: Metrics): Routes {
  return proxyRoutes({ upstream, routes: [route], ...(metrics !== undefined && { metrics }) })
}

/** Routes that another service answers, over one pool of connections to it. */
export function proxyRoutes({ upstream, routes, metrics }: ProxyOptions): Routes {
  return async (app) => {
    await app.register(async (scope) => {
      const timeoutMs = upstream.timeoutMs ?? timeoutMsDefault
      await scope.register(replyFrom, {
        base: upstream.url,
        disableRequestLogging: true,
        undici: {
          connections: upstream.connectionsMax ?? connectionsMaxDefault,
          pipelining: 1,
          connect: { timeout: Math.min(connectTimeoutMs, timeoutMs) },
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
        },
      })
      for (const route of routes) addRoute(scope, route, upstream, metrics)
    })
  }
}

function addRoute(
  app: Parameters<Routes>[0],
  route: ProxiedRoute,
  upstream: Upstream,
  metrics: Metrics | undefined,
): void {
  const count = (outcome: string): void => metrics?.upstreamRequestsTotal.inc({ upstream: upstream.name, outcome })
  app.route({
    method: route.method,
    url: route.url,
    // The client's own timers are coarse (about a second), so they only free the connection; this one answers in time.
    config: { isPublic: route.isPublic ?? false, timeoutMs: upstream.timeoutMs ?? timeoutMsDefault },
    errorHandler: (error, request, reply) => {
      if (!(error instanceof Problem) || error.slug !== 'handler-timeout') throw error
      count('timeout')
      return sendProblem(request, reply, timedOut(upstream.name))
    },
    ...(route.schema !== undefined && { schema: route.schema }),
    ...(route.onRequest !== undefined && { onRequest: route.onRequest }),
    handler: (request, reply) =>
      reply.from(undefined, {
        rewriteRequestHeaders: (_original, headers) => requestHeaders(headers, request.trace.traceparent),
        rewriteHeaders: (headers) => responseHeaders(headers),
        onResponse: (_request, answered, { statusCode, stream }) => {
          // The stream is the upstream's body; left unread, it would keep its connection.
          const body = stream as unknown as Readable
          if (answered.sent) return void body.destroy()
          count(statusCode >= 500 ? 'failed' : 'answered')
          answered.send(body)
        },
        // A connection that the upstream closed while it was idle is worth one more try of a GET; its 503 is an answer.
        retriesCount: 1,
        onError: (failed, { error }) => {
          const refusal = problemOf(error, upstream.name)
          count(refusal.slug === 'upstream-timeout' ? 'timeout' : 'unreachable')
          sendProblem(request, failed as FastifyReply, refusal)
        },
      }),
  })
}

type Headers = Record<string, string | string[] | undefined>

function requestHeaders(headers: Headers, traceparent: string): Headers {
  const forwarded = forwardedHeaders.filter((name) => headers[name] !== undefined)
  return { ...Object.fromEntries(forwarded.map((name) => [name, headers[name]])), host: headers.host, traceparent }
}

function responseHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !droppedHeaders.has(name)))
}

/** Codes of a connection that did not come about, found on the error or on its cause. */
const unreachableCodes = new Set([
  'FST_REPLY_FROM_SERVICE_UNAVAILABLE',
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])
const timeoutCodes = new Set(['FST_REPLY_FROM_GATEWAY_TIMEOUT', 'FST_REPLY_FROM_TIMEOUT'])

const headers = { 'retry-after': '1' }

function problemOf(error: Error, name: string): Problem {
  const codes = [codeOf(error), codeOf(error.cause)]
  if (codes.some((code) => timeoutCodes.has(code))) return timedOut(name)
  if (codes.some((code) => unreachableCodes.has(code))) {
    return problem('upstream-unavailable', { detail: `${name} cannot be reached`, headers })
  }
  return problem('upstream-failed', { detail: `${name} broke off its answer`, headers })
}

function timedOut(name: string): Problem {
  return problem('upstream-timeout', { detail: `${name} did not answer in time`, headers })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
