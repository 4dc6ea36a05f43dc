/**
 * Tokens are verified once and remembered until they expire: a signature check costs about as much as all the rest of a
 * request. Only what verified is remembered, by the whole token, so no stranger can fill the memory or find a way past.
 */
import type { Metrics } from '@bellyfed/process'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Role, roles, type VerificationKey } from './json-web-keys.ts'
import { type Problem, problem } from './problem.ts'

/** How tokens are judged. */
export interface AuthConfig {
  /** From `readJwks`, or the setting kind `jwks()`. */
  readonly keys: readonly VerificationKey[]
  /** The `iss` that tokens must have. */
  readonly issuer: string
  /** The `aud` that tokens must have. */
  readonly audience: string
  /** How far clocks may differ; 5 s by default. */
  readonly clockToleranceSeconds?: number
  /** Verified tokens that are remembered; 10,000 by default. */
  readonly cachedTokensMax?: number
}

/** Who is asking. */
export interface Identity {
  /** The user, for tokens of users; otherwise `undefined`. */
  readonly userId: string | undefined
  readonly role: Role
  /** The token's `sub`. */
  readonly subject: string
}

/** Judges tokens. */
export interface TokenVerifier {
  /** The identity of a token verified before that has not expired; costs one look-up. */
  known(token: string): Identity | undefined
  /** Verifies a token. Throws a 401 problem that says why. */
  verify(token: string): Promise<Identity>
}

interface Verified {
  readonly identity: Identity
  readonly expiresAtMs: number
}

const tokenLengthMax = 4_096
const cachedTokensMaxDefault = 10_000
const clockToleranceSecondsDefault = 5
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function createTokenVerifier(config: AuthConfig, metrics?: Metrics): TokenVerifier {
  const keys = new Map(config.keys.map((key) => [key.keyId, key]))
  const clockTolerance = config.clockToleranceSeconds ?? clockToleranceSecondsDefault
  const cache = new LRUCache<string, Verified>({ max: config.cachedTokensMax ?? cachedTokensMaxDefault })
  const countCached = metrics?.httpTokenChecksTotal.labels('cached')
  const countVerified = metrics?.httpTokenChecksTotal.labels('verified')
  const countRefused = metrics?.httpTokenChecksTotal.labels('refused')

  return {
    known(token) {
      const verified = cache.get(token)
      if (verified === undefined) return undefined
      if (verified.expiresAtMs <= Date.now()) {
        cache.delete(token)
        return undefined
      }
      countCached?.inc()
      return verified.identity
    },
    async verify(token) {
      try {
        const payload = await verifiedPayload(token, keys, { ...config, clockTolerance })
        const identity = identityOf(payload)
        cache.set(token, { identity, expiresAtMs: ((payload.exp ?? 0) + clockTolerance) * 1_000 })
        countVerified?.inc()
        return identity
      } catch (fault) {
        countRefused?.inc()
        throw refusalOf(fault)
      }
    },
  }
}

async function verifiedPayload(
  token: string,
  keys: ReadonlyMap<string, VerificationKey>,
  rules: { issuer: string; audience: string; clockTolerance: number },
): Promise<JWTPayload> {
  if (token.length > tokenLengthMax) throw new Refused('the token is too long')
  const { kid, alg } = headerOf(token)
  const key = kid === undefined && keys.size === 1 ? keys.values().next().value : keys.get(kid ?? '')
  if (key === undefined) throw new Refused('the token is signed with an unknown key')
  if (alg !== key.algorithm) throw new Refused('the token is not signed with the algorithm of its key')
  const { payload } = await jwtVerify(token, key.key, {
    algorithms: [key.algorithm],
    issuer: rules.issuer,
    audience: rules.audience,
    clockTolerance: rules.clockTolerance,
    requiredClaims: ['exp', 'sub'],
  })
  return payload
}

function headerOf(token: string): { kid?: string; alg?: string } {
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw new Refused('the token is not a JSON web token')
  }
}

function identityOf(payload: JWTPayload): Identity {
  const role = roles.find((known) => known === payload.role)
  if (role === undefined) throw new Refused(`the claim "role" must be one of ${roles.join(', ')}`)
  const subject = payload.sub
  if (typeof subject !== 'string' || subject === '') throw new Refused('the claim "sub" is empty')
  const userId = uuidPattern.test(subject) ? subject : undefined
  if (role === 'user' && userId === undefined) throw new Refused('the claim "sub" of a user must be a lower-case UUID')
  return Object.freeze({ userId, role, subject })
}

class Refused extends Error {}

/** The 401 problem of a token that was refused; `reason` says why, without quoting the token. */
export function unauthenticated(reason: string | undefined): Problem {
  const challenge =
    reason === undefined ? 'Bearer' : `Bearer error="invalid_token", error_description="${reason.replaceAll('"', "'")}"`
  return problem('unauthenticated', {
    detail: reason ?? 'send a token in the header Authorization: Bearer <token>',
    headers: { 'www-authenticate': challenge },
  })
}

function refusalOf(fault: unknown): Problem {
  if (fault instanceof Refused) return unauthenticated(fault.message)
  if (fault instanceof errors.JWTExpired) return unauthenticated('the token has expired')
  if (fault instanceof errors.JWTClaimValidationFailed) {
    const what = fault.reason === 'missing' ? 'is missing' : 'is not accepted here'
    return unauthenticated(`the claim "${fault.claim}" ${what}`)
  }
  if (fault instanceof errors.JWSSignatureVerificationFailed) return unauthenticated('the signature is wrong')
  return unauthenticated('the token cannot be verified')
}
