/**
 * Every route needs a token unless its `config` says `isPublic: true`; forgetting is safe. Authorisation hooks run after
 * it and before the body is read, so a stranger cannot make us parse anything.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Role } from './json-web-keys.ts'
import { problem } from './problem.ts'
import { type Identity, type TokenVerifier, unauthenticated } from './token-verifier.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking. On a public route without a token there is none, and reading it is a fault of ours. */
    identity: Identity
  }
  interface FastifyContextConfig {
    /** The route answers without a token. */
    isPublic?: boolean
  }
}

const scheme = /^Bearer +([^\s]+)$/i

/** Checks the token of every request; must be added before any other hook that uses the identity. */
export function authenticate(app: FastifyInstance, verifier: TokenVerifier): void {
  app.decorateRequest('identity', null as unknown as Identity)
  app.addHook('onRequest', (request, _reply, done) => {
    const header = request.headers.authorization
    // An unknown route is refused as such only to those with a token: strangers learn nothing of what exists.
    if (header === undefined) return done(isPublic(request) ? undefined : unauthenticated(undefined))
    const token = scheme.exec(header)?.[1]
    if (token === undefined) return done(unauthenticated('the header Authorization must be: Bearer <token>'))
    const known = verifier.known(token)
    if (known !== undefined) {
      request.identity = known
      return done()
    }
    verifier.verify(token).then((identity) => {
      request.identity = identity
      done()
    }, done)
  })
}

function isPublic(request: FastifyRequest): boolean {
  return request.routeOptions.config?.isPublic === true
}

/** Refuses everyone without one of these roles. Use it as a route's `onRequest`. */
export function requireRole(...allowed: readonly [Role, ...Role[]]): onRequestHookHandler {
  return (request: FastifyRequest, _reply: FastifyReply, done) => {
    if (allowed.includes(request.identity.role)) return done()
    done(
      problem('forbidden', {
        detail: `only the role${allowed.length > 1 ? 's' : ''} ${allowed.join(', ')} may do this`,
      }),
    )
  }
}

/**
 * Refuses a user who asks for another user's things; the roles named may ask for anyone's. The user asked for is the
 * path parameter `userId`, or `id` where there is none. Use it as a route's `onRequest`.
 */
export function requireSelfOr(...allowed: readonly Role[]): onRequestHookHandler {
  return (request: FastifyRequest, _reply: FastifyReply, done) => {
    const { role, userId } = request.identity
    if (allowed.includes(role)) return done()
    const params = request.params as { userId?: string; id?: string }
    const asked = params.userId ?? params.id
    if (asked === undefined) return done(new Error('requireSelfOr needs a path parameter userId or id'))
    if (role === 'user' && userId === asked) return done()
    done(problem('forbidden', { detail: 'this belongs to another user' }))
  }
}
