import { chmodSync, existsSync } from 'node:fs'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { type Layout, readJson, writeWhole } from './layout.ts'

/**
 * Tokens of the embedded platform: one Ed25519 key pair, made on first use. The private key is readable by its owner
 * only; the services get the public one as a JWK set.
 */
export const issuer = 'https://bellyfed.local'
export const audience = 'bellyfed'

export const roles = ['user', 'service', 'admin'] as const
export type Role = (typeof roles)[number]

/** The private key, made now if there is none. */
export async function localKey(layout: Pick<Layout, 'privateKey' | 'publicKeys'>): Promise<JWK> {
  if (!existsSync(layout.privateKey)) await makeKey(layout)
  const key = readJson(layout.privateKey)
  if (typeof key !== 'object' || key === null) throw new Error(`${layout.privateKey} is not a key: remove it.`)
  // A copy or a careless umask may have opened it.
  chmodSync(layout.privateKey, 0o600)
  return key as JWK
}

/** A token for `subject`, signed by the local key. */
export async function signLocalToken(
  layout: Pick<Layout, 'privateKey' | 'publicKeys'>,
  claims: { readonly subject: string; readonly role: Role; readonly expiresInSeconds: number },
): Promise<string> {
  const key = await localKey(layout)
  return new SignJWT({ role: claims.role })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid as string, typ: 'JWT' })
    .setSubject(claims.subject)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + claims.expiresInSeconds)
    .sign(key)
}

async function makeKey(layout: Pick<Layout, 'privateKey' | 'publicKeys'>): Promise<void> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(publicJwk)
  const described = { kid, alg: 'EdDSA', use: 'sig' }
  const privateJwk = { ...(await exportJWK(pair.privateKey)), ...described }
  // The public half first: whoever sees the private key may rely on the other.
  writeWhole(layout.publicKeys, `${JSON.stringify({ keys: [{ ...publicJwk, ...described }] }, undefined, 2)}\n`)
  writeWhole(layout.privateKey, `${JSON.stringify(privateJwk)}\n`, 0o600)
}
