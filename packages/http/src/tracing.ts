/**
 * A request's trace: continued from the header `traceparent`, or begun. The answer names it in the header `trace-id`,
 * log lines and problem documents carry it, and handlers pass `request.trace.traceparent` on.
 */
import { continueTrace, runInTrace, type Trace } from '@bellyfed/process'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace that this request belongs to. */
    trace: Trace
  }
}

/** Gives every request its trace. */
export function trace(app: FastifyInstance): void {
  app.decorateRequest('trace', null as unknown as Trace)
  app.addHook('onRequest', (request, reply, done) => {
    const header = request.headers.traceparent
    request.trace = continueTrace(typeof header === 'string' ? header : undefined)
    reply.header('trace-id', request.trace.traceId)
    done()
  })
  // After the body: its events come from the socket, outside of any context that was entered before them.
  app.addHook('preValidation', (request, _reply, done) => runInTrace(request.trace, done))
}
