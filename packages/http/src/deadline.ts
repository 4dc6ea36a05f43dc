/**
 * The longest time a handler may take. Whoever waits longer gets a problem instead; the handler itself is not stopped,
 * since nobody can know how far it came.
 *
 * The framework's own `handlerTimeout` makes a timer, an abort signal and, at every end, an exception object with a stack
 * trace for each request: a tenth of the processor time of a small route. Here requests of one timeout stand in one
 * queue, oldest first, and one timer looks at its head.
 */
import type { FastifyInstance, FastifyReply, onRequestHookHandler, RouteOptions } from 'fastify'
import { problem } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Longest time for this route to answer, instead of the server's. */
    timeoutMs?: number
  }
}

interface Queue {
  readonly timeoutMs: number
  /** Replies under way and when they began, oldest first. */
  readonly waiting: Map<FastifyReply, number>
}

const sweepMsMax = 100
const sweepsPerTimeout = 10

/** Gives every route its deadline: its own `config.timeoutMs`, or `defaultTimeoutMs`. */
export function limitHandlers(app: FastifyInstance, defaultTimeoutMs: number): void {
  const queues = new Map<number, Queue>()
  const sweepers: NodeJS.Timeout[] = []
  app.addHook('onRoute', (route: RouteOptions) => {
    const timeoutMs = route.config?.timeoutMs ?? defaultTimeoutMs
    let queue = queues.get(timeoutMs)
    if (queue === undefined) {
      queue = { timeoutMs, waiting: new Map() }
      queues.set(timeoutMs, queue)
    }
    const existing = route.onRequest ?? []
    route.onRequest = [enter(queue), ...(Array.isArray(existing) ? existing : [existing])]
  })
  app.addHook('onReady', async () => {
    for (const queue of queues.values()) {
      const everyMs = Math.min(sweepMsMax, Math.ceil(queue.timeoutMs / sweepsPerTimeout))
      sweepers.push(setInterval(sweep, everyMs, queue).unref())
    }
  })
  app.addHook('onClose', async () => {
    for (const sweeper of sweepers) clearInterval(sweeper)
  })
}

function enter({ waiting }: Queue): onRequestHookHandler {
  return (_request, reply, done) => {
    waiting.set(reply, performance.now())
    reply.raw.once('close', () => waiting.delete(reply))
    done()
  }
}

function sweep({ timeoutMs, waiting }: Queue): void {
  const latestMs = performance.now() - timeoutMs
  for (const [reply, beganMs] of waiting) {
    if (beganMs > latestMs) return
    waiting.delete(reply)
    if (reply.sent) continue
    // Of an answer that has begun nothing can be taken back; breaking off is the only way to say that it is not whole.
    if (reply.raw.headersSent) reply.raw.destroy()
    else reply.send(overdue())
  }
}

function overdue(): Error {
  return problem('handler-timeout', {
    detail: 'whether a command was carried out is not known; repeat it with the same Idempotency-Key',
    headers: { 'retry-after': '1' },
  })
}
