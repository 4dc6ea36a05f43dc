/**
 * Turns whatever went wrong into a problem document. What a client did is told in full; what happened on our side is
 * logged with its trace id and told as just that, so that no address, statement or path leaks.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { continueTrace, type Logger } from '@bellyfed/process'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, problem, problemContentType, problemDocument } from './problem.ts'
import type { RouteTable } from './route-table.ts'
import { InvalidRequest } from './validation.ts'

const warningGapMs = 1_000

/** What the error handler needs to know of the service. */
export interface ErrorHandling {
  readonly log: Logger
  readonly routes: RouteTable
  /** Which errors mean that a dependency is away for now, so that trying again later is right. */
  readonly isUnavailable: (error: unknown) => boolean
}

/** Makes every error and every unknown route of `app` a problem document. */
export function answerWithProblems(app: FastifyInstance, { log, routes, isUnavailable }: ErrorHandling): void {
  const warn = sparseWarning(log)
  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const isAway = isUnavailable(error)
    const refusal = isAway ? unavailable(error) : problemOf(error, request)
    const facts = { err: error, traceId: request.trace.traceId, method: request.method, path: pathOf(request) }
    if (isAway) warn(facts)
    else if (refusal.status >= 500 && refusal.slug !== 'unavailable') log.error(facts, 'request failed')
    return sendProblem(request, reply, refusal)
  })
  app.setNotFoundHandler((request, reply) => {
    const methods = routes.methodsOf(pathOf(request))
    const refusal =
      methods.length === 0
        ? problem('not-found', { detail: `no route ${pathOf(request)}` })
        : problem('method-not-allowed', {
            detail: `${request.method} is not offered here, but ${methods.join(', ')}`,
            headers: { allow: methods.join(', ') },
          })
    return sendProblem(request, reply, refusal)
  })
}

/** Warns at most once a second: with a dependency away every request fails alike, and the metrics count them anyway. */
function sparseWarning(log: Logger): (facts: object) => void {
  let nextMs = 0
  let leftOut = 0
  return (facts) => {
    const nowMs = performance.now()
    if (nowMs < nextMs) {
      leftOut += 1
      return
    }
    log.warn({ ...facts, leftOut }, 'a dependency is away')
    nextMs = nowMs + warningGapMs
    leftOut = 0
  }
}

/** Answers what the router itself refuses, such as a path that cannot be decoded. */
export function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, clientFault(error.statusCode) ?? internal(error))
}

/** Sends a problem; routes rather throw it. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Problem): FastifyReply {
  // A request that the router could not read has passed no hook, so it has no trace yet.
  request.trace ??= continueTrace(undefined)
  const document = problemDocument(refusal, pathOf(request), request.trace.traceId)
  return reply
    .code(refusal.status)
    .headers(refusal.facts.headers ?? {})
    .type(problemContentType)
    .serializer(JSON.stringify)
    .send(document)
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '/').split('?', 1)[0] ?? '/'
}

function problemOf(error: FastifyError | Error, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  if (error instanceof InvalidRequest) return error.refusal
  const { code, statusCode } = error as Partial<FastifyError>
  return (
    (code === undefined ? undefined : frameworkProblem(code, request)) ?? clientFault(statusCode) ?? internal(error)
  )
}

function frameworkProblem(code: string, request: FastifyRequest): Problem | undefined {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return problem('malformed-json', { detail: 'the body must be one JSON value' })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return problem('malformed-request', { detail: 'the body is not as long as Content-Length says' })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
    case 'FST_ERR_CTP_EMPTY_TYPE':
      return problem('unsupported-media-type', {
        detail: 'send the body as application/json',
        headers: { accept: 'application/json' },
      })
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('body-too-large', { detail: `at most ${request.routeOptions.bodyLimit} bytes are accepted` })
    case 'FST_ERR_REOPENED_CLOSE_SERVER':
      return problem('unavailable', { detail: 'this server is stopping', headers: { 'retry-after': '1' } })
    default:
      return undefined
  }
}

/** Faults of the client that the framework finds and that have no name of their own: bad URLs, bad parameters. */
function clientFault(status: number | undefined): Problem | undefined {
  if (status === undefined || status < 400 || status >= 500) return undefined
  return problem('malformed-request', { status, detail: STATUS_CODES[status] ?? 'the request cannot be read' })
}

function unavailable(error: Error): Problem {
  return problem('unavailable', {
    detail: 'something this service needs is away; the same request may be sent again',
    headers: { 'retry-after': '1' },
    cause: error,
  })
}

function internal(error: Error): Problem {
  return problem('internal-error', { detail: 'the trace id leads to the log line', cause: error })
}

/** Answers what does not even become a request: broken HTTP, too many headers, a request that never ends. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable) {
    socket.destroy(error)
    return
  }
  const refusal = brokenRequest(error.code)
  const { type, title, status, detail } = problemDocument(refusal, '/', '')
  const body = JSON.stringify({ type, title, status, detail })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${problemContentType}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function brokenRequest(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem('request-timeout', { detail: 'send the whole request sooner' })
  if (code === 'HPE_HEADER_OVERFLOW') return problem('headers-too-large', { detail: 'send fewer or shorter headers' })
  return problem('malformed-request', { detail: 'this is not HTTP/1.1' })
}
