import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { audience, issuer, localKey, signLocalToken } from './keys.ts'

let directory: string
let files: { privateKey: string; publicKeys: string }
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keys-'))
  files = { privateKey: join(directory, 'keys', 'private.jwk'), publicKeys: join(directory, 'keys', 'jwks.json') }
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a token verifies with the published keys and says who, which role and until when', async () => {
  const token = await signLocalToken(files, { subject: 'local-admin', role: 'admin', expiresInSeconds: 60 })
  const keys = createLocalJWKSet(JSON.parse(readFileSync(files.publicKeys, 'utf8')) as JSONWebKeySet)
  const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['EdDSA'] })
  expect(payload).toMatchObject({ sub: 'local-admin', role: 'admin' })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
})

test('the private key is readable by its owner only, and the public keys do not hold it', async () => {
  await localKey(files)
  expect(statSync(files.privateKey).mode & 0o777).toBe(0o600)
  expect(readFileSync(files.publicKeys, 'utf8')).not.toContain('"d"')
})

test('the key pair stays the same', async () => {
  expect(await localKey(files)).toEqual(await localKey(files))
})
