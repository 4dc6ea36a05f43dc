/**
 * Keys that tokens are verified with, and keys that they are signed with.
 *
 * A key is good for exactly one algorithm, the one its `alg` member names, and only for signatures of asymmetric kind.
 * So nobody can present a token signed with HMAC and our public key as the secret, or unsigned, or signed with another
 * algorithm of the same key type.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { json, type Kind } from '@bellyfed/process'
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'

/** The algorithms that a key may have. */
export const algorithms = ['EdDSA', 'ES256', 'RS256'] as const
export type Algorithm = (typeof algorithms)[number]

/** The roles that a token may carry. */
export const roles = ['user', 'service', 'admin'] as const
export type Role = (typeof roles)[number]

/** A public key and the one algorithm it is used with. */
export interface VerificationKey {
  readonly keyId: string
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

const expectedKeyTypes: Record<Algorithm, string> = { EdDSA: 'ed25519', ES256: 'ec', RS256: 'rsa' }
const rsaBitsMin = 2_048

/** Reads a JWK set (`{ "keys": [...] }`). Throws when a key lacks `kid` or `alg`, is private, secret or weak. */
export function readJwks(value: unknown): readonly VerificationKey[] {
  const keys = isRecord(value) ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('it has no "keys"')
  const read = keys.map(readKey)
  if (new Set(read.map((key) => key.keyId)).size < read.length) throw new Error('two keys have the same "kid"')
  return read
}

function readKey(value: unknown, index: number): VerificationKey {
  if (!isRecord(value)) throw new Error(`key ${index} is not an object`)
  const { kid, alg, kty, use, d } = value
  if (typeof kid !== 'string' || kid === '') throw new Error(`key ${index} has no "kid"`)
  const algorithm = algorithms.find((known) => known === alg)
  if (algorithm === undefined) throw new Error(`key ${index} needs an "alg" of ${algorithms.join(', ')}`)
  if (kty === 'oct') throw new Error(`key ${index} is a shared secret`)
  if (d !== undefined) throw new Error(`key ${index} holds a private key, which a verifier must not have`)
  if (use !== undefined && use !== 'sig') throw new Error(`key ${index} is not for signatures`)
  return { keyId: kid, algorithm, key: publicKeyOf(value, algorithm, index) }
}

function publicKeyOf(jwk: Record<string, unknown>, algorithm: Algorithm, index: number): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new Error(`key ${index} is not a public key`)
  }
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType !== expectedKeyTypes[algorithm]) throw new Error(`key ${index} does not fit ${algorithm}`)
  if (algorithm === 'ES256' && details?.namedCurve !== 'prime256v1') throw new Error(`key ${index} is not on P-256`)
  if (algorithm === 'RS256' && (details?.modulusLength ?? 0) < rsaBitsMin) {
    throw new Error(`key ${index} is shorter than ${rsaBitsMin} bits`)
  }
  return key
}

/** The kind of the setting JWT_JWKS. */
export function jwks(): Kind<readonly VerificationKey[]> {
  return json({ rule: 'a JWK set of public keys, each with kid and alg', read: readJwks })
}

/** What a token is to say. */
export interface TokenClaims {
  /** The user's id for role `user`, else a name of the caller. */
  readonly sub: string
  readonly role: Role
  readonly issuer: string
  readonly audience: string
  readonly expiresInSeconds: number
}

/** Signs a token with a private JWK, by the algorithm that its `alg` names. */
export async function signToken(privateJwk: JWK, claims: TokenClaims): Promise<string> {
  const { kid, alg } = privateJwk
  if (kid === undefined || !algorithms.some((known) => known === alg)) {
    throw new Error(`the signing key needs a "kid" and an "alg" of ${algorithms.join(', ')}`)
  }
  const issuedAtSeconds = Math.floor(Date.now() / 1_000)
  return new SignJWT({ role: claims.role })
    .setProtectedHeader({ alg: alg as Algorithm, kid, typ: 'JWT' })
    .setSubject(claims.sub)
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setIssuedAt(issuedAtSeconds)
    .setExpirationTime(issuedAtSeconds + claims.expiresInSeconds)
    .sign(await importJWK(privateJwk))
}

/** A new key pair: the private JWK to sign with, and the JWK set that services get. */
export async function createSigningKey(
  keyId: string,
  algorithm: Algorithm = 'EdDSA',
): Promise<{ privateJwk: JWK; publicJwks: { keys: JWK[] } }> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const names = { kid: keyId, alg: algorithm, use: 'sig' }
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...names },
    publicJwks: { keys: [{ ...(await exportJWK(publicKey)), ...names }] },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
