/**
 * What a supervisor and a dashboard ask of a process, on a listener of its own, so that a busy or closed public port
 * never hides the state of the process.
 *
 *   GET /live     200 while every running part makes progress, else 503. Never asks a dependency.
 *   GET /ready    200 when every part runs and its check passes in time, else 503 with the reasons.
 *   GET /metrics  Prometheus' text format.
 *   GET /streams  StreamMetrics of the consumers as JSON.
 *
 * Checks of one part never overlap: when a database hangs, the next question waits for the check under way instead of
 * taking one more connection.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { type Part, partState } from './part.ts'
import { redactText } from './redaction.ts'

/** Options of the operations server. */
export interface OperationsOptions {
  readonly host: string
  /** 0 lets the operating system choose; the server's `port` then says which. */
  readonly port: number
  readonly metrics: Metrics
  /** The parts whose liveness and readiness are reported. */
  readonly parts: readonly Part[]
  readonly log: Logger
  /** Longest time that one part's check may take; 2 s by default. */
  readonly checkTimeoutMs?: number
  /** What `/streams` answers: an array of StreamMetrics. */
  readonly streamMetrics?: () => unknown
}

/** The operations server as a part of the process. */
export interface OperationsServer extends Part {
  /** The port listened on; 0 before the start. */
  readonly port: number
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

interface PartReport {
  readonly name: string
  readonly ok: boolean
  readonly reason?: string
}

const checkTimeoutMsDefault = 2_000

/** Creates the server; it listens from `start` to `stop`. */
export function createOperationsServer(options: OperationsOptions): OperationsServer {
  const check = createChecker(options.checkTimeoutMs ?? checkTimeoutMsDefault)
  const stopRefreshing = options.metrics.beforeScrape(() => {
    for (const part of options.parts) options.metrics.partLive.set({ part: part.name }, livenessOf(part).ok ? 1 : 0)
  })
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    (request, response) => {
      answer(request, options, check).then(
        (found) => send(request, response, found),
        (fault: unknown) => {
          options.log.error({ err: fault }, 'operations request failed')
          send(request, response, jsonAnswer(500, { title: 'the question could not be answered' }))
        },
      )
    },
  )
  return {
    name: 'operations-server',
    get port() {
      return (server.address() as AddressInfo | null)?.port ?? 0
    },
    start: () => listen(server, options),
    async stop() {
      stopRefreshing()
      await close(server)
    },
  }
}

async function answer(
  request: IncomingMessage,
  options: OperationsOptions,
  check: (part: Part) => Promise<PartReport>,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return jsonAnswer(405, { title: 'only GET and HEAD are answered here' })
  }
  switch (path) {
    case '/live':
      return reportAnswer('live', options.parts.map(livenessOf))
    case '/ready':
      return reportAnswer('ready', await Promise.all(options.parts.map(check)))
    case '/metrics':
      return { status: 200, contentType: options.metrics.contentType, body: await options.metrics.exposition() }
    case '/streams':
      return jsonAnswer(200, (await options.streamMetrics?.()) ?? [])
    default:
      return jsonAnswer(404, { title: 'ask /live, /ready, /metrics or /streams' })
  }
}

function livenessOf(part: Part): PartReport {
  // A part that does not run yet, or no more, makes no progress and need not.
  if (partState(part) !== 'running' || part.isLive === undefined) return { name: part.name, ok: true }
  const { live, reason } = part.isLive()
  return reason === undefined
    ? { name: part.name, ok: live }
    : { name: part.name, ok: live, reason: redactText(reason) }
}

function createChecker(timeoutMs: number): (part: Part) => Promise<PartReport> {
  const underWay = new Map<Part, Promise<void>>()
  const shared = (part: Part): Promise<void> => {
    const known = underWay.get(part)
    if (known !== undefined) return known
    const checking = (async () => part.check?.())().finally(() => underWay.delete(part))
    underWay.set(part, checking)
    return checking
  }
  return async (part) => {
    const state = partState(part)
    if (state !== 'running') return { name: part.name, ok: false, reason: state }
    const timeout = Promise.withResolvers<never>()
    const timer = setTimeout(() => timeout.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    try {
      await Promise.race([shared(part), timeout.promise])
      return { name: part.name, ok: true }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return { name: part.name, ok: false, reason: redactText(reason) }
    } finally {
      clearTimeout(timer)
    }
  }
}

function reportAnswer(question: 'live' | 'ready', reports: readonly PartReport[]): Answer {
  const holds = reports.every((report) => report.ok)
  return jsonAnswer(holds ? 200 : 503, {
    [question]: holds,
    parts: reports.map(({ name, ok, reason }) => ({ name, [question]: ok, ...(reason !== undefined && { reason }) })),
  })
}

function jsonAnswer(status: number, body: unknown): Answer {
  const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body, plain)}\n` }
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: Answer): void {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { 'content-type': contentType, 'content-length': length, 'cache-control': 'no-store' })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function listen(server: Server, { host, port, log }: OperationsOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port }, resolve)
  await promise
  server.off('error', reject)
  log.info({ host, port: (server.address() as AddressInfo).port }, 'operations server listens')
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
