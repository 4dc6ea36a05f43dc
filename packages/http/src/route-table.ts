/**
 * Which methods a path is offered with, to tell "not here" (404) from "not with this method" (405). The router itself
 * cannot say it, so the patterns are kept beside it; they are asked only for requests that matched nothing.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Answers which methods a path has. */
export interface RouteTable {
  methodsOf(path: string): readonly string[]
}

export function createRouteTable(app: FastifyInstance): RouteTable {
  const methodsByPattern = new Map<string, Set<string>>()
  app.addHook('onRoute', (route: RouteOptions) => {
    const methods = methodsByPattern.get(route.url) ?? new Set<string>()
    for (const method of Array.isArray(route.method) ? route.method : [route.method]) methods.add(method)
    methodsByPattern.set(route.url, methods)
  })
  let patterns: readonly { pattern: RegExp; methods: ReadonlySet<string> }[] | undefined
  return {
    methodsOf(path) {
      patterns ??= [...methodsByPattern].map(([url, methods]) => ({ pattern: patternOf(url), methods }))
      const found = patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods])
      return [...new Set(found)].sort()
    },
  }
}

function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.includes(':')) return '[^/]+'
    return segment.includes('*') ? '.*' : segment.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${segments.join('/')}$`)
}
