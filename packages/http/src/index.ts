// Additions to fastify's own types, also for those who use the build: declarations follow only what is imported here.
import '@fastify/swagger'
import './authentication.ts'
import './tracing.ts'

export { requireRole, requireSelfOr } from './authentication.ts'
export { decodeCursor, encodeCursor } from './cursor.ts'
export { type EntityTags, entityTag, includesTag, notModified, parseIfMatch, parseIfNoneMatch } from './entity-tag.ts'
export { sendProblem } from './error-handler.ts'
export { type ProxiedRoute, type ProxyOptions, proxyRoute, proxyRoutes, type Upstream } from './gateway.ts'
export {
  type Algorithm,
  algorithms,
  createSigningKey,
  jwks,
  type Role,
  readJwks,
  roles,
  signToken,
  type TokenClaims,
  type VerificationKey,
} from './json-web-keys.ts'
export type { OpenApiConfig } from './openapi.ts'
export {
  type FieldError,
  Problem,
  type ProblemDocument,
  type ProblemFacts,
  problem,
  problemContentType,
  problemDocument,
  type StandardProblem,
  standardProblems,
} from './problem.ts'
export type { RateLimitConfig } from './rate-limit.ts'
export {
  type AwaitReceiptOptions,
  awaitReceipt,
  decodeReceipt,
  encodeReceipt,
  type Receipt,
  type ReceiptState,
} from './receipt.ts'
export { CursorParameter, nullable, ProblemSchema, ReceiptParameter, Timestamp, Uuid } from './schemas.ts'
export { createHttpServer, type HttpApp, type HttpServer, type HttpServerOptions, type Routes } from './server.ts'
export { type AuthConfig, createTokenVerifier, type Identity, type TokenVerifier } from './token-verifier.ts'
