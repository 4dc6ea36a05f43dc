/**
 * The base of every HTTP service. What a request passes, in this order:
 *
 *   trace → counting → token → rate limit → the route's own onRequest (authorisation) → body → validation → handler
 *
 * and whatever refuses it on the way answers with a problem document. Unknown members are refused, not dropped; every
 * route needs a token unless it says that it is public; what has no schema in `response` is serialised as it is.
 */
import type { AddressInfo, Socket } from 'node:net'
import type { Logger, Metrics, Part } from '@bellyfed/process'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
  type RouteOptions,
} from 'fastify'
import { authenticate } from './authentication.ts'
import { limitHandlers } from './deadline.ts'
import { answerClientError, answerUnroutable, answerWithProblems } from './error-handler.ts'
import { documentRoutes, type OpenApiConfig } from './openapi.ts'
import { limitRate, type RateLimitConfig } from './rate-limit.ts'
import { countRequests } from './request-metrics.ts'
import { createRouteTable } from './route-table.ts'
import { type AuthConfig, createTokenVerifier } from './token-verifier.ts'
import { trace } from './tracing.ts'
import { closed, createValidatorCompiler } from './validation.ts'

/** The server with the TypeBox types of its routes' schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** A group of routes. */
export type Routes = (app: HttpApp) => void | Promise<void>

/** Options of an HTTP server. */
export interface HttpServerOptions {
  readonly host: string
  /** 0 lets the operating system choose; the server's `port` then says which. */
  readonly port: number
  readonly log: Logger
  readonly auth: AuthConfig
  readonly openapi: OpenApiConfig
  readonly routes: readonly Routes[]
  /** Longest body in bytes; 64 KiB by default. A route may have another by its own `bodyLimit`. */
  readonly bodyLimitBytes?: number
  /** Absent: no limit. */
  readonly rateLimit?: RateLimitConfig
  readonly metrics?: Metrics
  /** Which errors mean that a dependency is away (`isTransient` of the pool): answered with 503 and Retry-After, not 500. */
  readonly isUnavailable?: (error: unknown) => boolean
  /** Longest time for a request to arrive as a whole; 10 s by default. */
  readonly requestTimeoutMs?: number
  /** Longest time for a handler to answer; 15 s by default. A route may have another by its `config.timeoutMs`. */
  readonly handlerTimeoutMs?: number
}

/** The server as a part of the process. `app` is there from the beginning, for `app.inject` in tests. */
export interface HttpServer extends Part {
  readonly app: HttpApp
  /** The port listened on; 0 before the start. */
  readonly port: number
}

const bodyLimitBytesDefault = 65_536
const requestTimeoutMsDefault = 10_000
const handlerTimeoutMsDefault = 15_000
/** Longer than the idle time of usual balancers (60 s), so that they and not we close a connection first. */
const keepAliveTimeoutMs = 72_000

/** Creates the server; it listens from `start` to `stop`, and `stop` lets requests under way finish. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const app = createApp(options)
  app.register(async (inner) => {
    // Both add to the routes that follow them, so they come first and in the same scope.
    if (options.rateLimit !== undefined) await limitRate(inner, options.rateLimit)
    await documentRoutes(inner, options.openapi)
    for (const routes of options.routes) await routes(inner)
  })
  return {
    name: 'http-server',
    app,
    get port() {
      return (app.server.address() as AddressInfo | null)?.port ?? 0
    },
    async start() {
      await app.listen({ host: options.host, port: options.port })
    },
    async stop() {
      await app.close()
    },
  }
}

function createApp(options: HttpServerOptions): HttpApp {
  const { log, metrics } = options
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all requests: the trace of the work at hand is in every line anyway.
    childLoggerFactory: (logger) => logger,
    bodyLimit: options.bodyLimitBytes ?? bodyLimitBytesDefault,
    requestTimeout: options.requestTimeoutMs ?? requestTimeoutMsDefault,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerClientError(error, socket as Socket),
    frameworkErrors: answerUnroutable,
    routerOptions: { maxParamLength: 200 },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(createValidatorCompiler())
  const table = createRouteTable(app)
  app.addHook('onRoute', closeSchemas)
  answerWithProblems(app, { log, routes: table, isUnavailable: options.isUnavailable ?? (() => false) })
  trace(app)
  if (metrics !== undefined) countRequests(app, metrics)
  limitHandlers(app, options.handlerTimeoutMs ?? handlerTimeoutMsDefault)
  authenticate(app, createTokenVerifier(options.auth, metrics))
  return app
}

function closeSchemas(route: RouteOptions): void {
  const { schema } = route
  if (schema === undefined) return
  route.schema = {
    ...schema,
    ...(schema.body !== undefined && { body: closed(schema.body) }),
    ...(schema.querystring !== undefined && { querystring: closed(schema.querystring) }),
  }
}
