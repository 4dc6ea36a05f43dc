/**
 * Successes are counted, not logged: a line per request costs more than the request. Instruments are bound to their
 * labels once per route and status, because hashing labels per request shows up in the profile.
 */
import type { Counter, Metrics } from '@bellyfed/process'
import type { FastifyInstance, FastifyReply, FastifyRequest, onResponseHookHandler, RouteOptions } from 'fastify'

/** Counts and times every answer by route pattern; unknown routes count together as `unmatched`. */
export function countRequests(app: FastifyInstance, metrics: Metrics): void {
  let inFlight = 0
  const finished = (): void => {
    inFlight -= 1
  }
  const stopRefreshing = metrics.beforeScrape(() => metrics.httpRequestsInFlight.set(inFlight))
  app.addHook('onClose', async () => stopRefreshing())
  app.addHook('onRequest', (_request, reply, done) => {
    inFlight += 1
    reply.raw.once('close', finished)
    done()
  })
  app.addHook('onRoute', (route: RouteOptions) => {
    const counting = countRoute(metrics, route.url)
    const existing = route.onResponse ?? []
    route.onResponse = [...(Array.isArray(existing) ? existing : [existing]), counting]
  })
  const countUnmatched = countRoute(metrics, 'unmatched')
  app.addHook('onResponse', function (request, reply, done) {
    if (request.is404) return countUnmatched.call(this, request, reply, done)
    done()
  })
}

function countRoute(metrics: Metrics, route: string): onResponseHookHandler {
  const counters = new Map<string, Counter.Internal>()
  const timers = new Map<string, { observe(value: number): void }>()
  return (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const { method } = request.raw
    const known = `${method} ${reply.statusCode}`
    let counter = counters.get(known)
    if (counter === undefined) {
      counter = metrics.httpRequestsTotal.labels(method ?? '', route, String(reply.statusCode))
      counters.set(known, counter)
    }
    counter.inc()
    let timer = timers.get(method ?? '')
    if (timer === undefined) {
      timer = metrics.httpRequestSeconds.labels(method ?? '', route)
      timers.set(method ?? '', timer)
    }
    timer.observe(reply.elapsedTime / 1_000)
    done()
  }
}
