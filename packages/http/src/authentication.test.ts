import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSigningKey, readJwks, signToken } from './json-web-keys.ts'
import {
  audience,
  bearer,
  issuer,
  privateJwk,
  problemIn,
  publicJwks,
  rankingPath,
  self,
  testServer,
  token,
} from './testing/fixtures.ts'

const server = testServer()

function put(authorization?: string) {
  return server.app.inject({
    method: 'PUT',
    url: rankingPath,
    headers: authorization === undefined ? {} : { authorization },
    payload: {},
  })
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const inFiveMinutes = (): number => Math.floor(Date.now() / 1_000) + 300
const claims = () => ({ sub: self, role: 'user', iss: issuer, aud: audience, exp: inFiveMinutes() })

async function refused(authorization: string | undefined): Promise<string> {
  const response = await put(authorization)
  expect(problemIn(response)).toMatchObject({ status: 401, slug: 'unauthenticated' })
  expect(response.headers['www-authenticate']).toMatch(/^Bearer/)
  return response.json().detail
}

test('a valid token is accepted, and the second time without verifying it again', async () => {
  const fresh = testServer()
  const { authorization } = await bearer()
  for (let round = 0; round < 3; round += 1) {
    const response = await fresh.app.inject({
      method: 'PUT',
      url: rankingPath,
      headers: { authorization },
      payload: {},
    })
    expect(response.statusCode).toBe(200)
  }
  const exposition = await fresh.metrics.exposition()
  expect(exposition).toContain('http_token_checks_total{outcome="verified",service="test"} 1')
  expect(exposition).toContain('http_token_checks_total{outcome="cached",service="test"} 2')
})

describe('refused with 401 is', () => {
  test('no token', async () => {
    expect(await refused(undefined)).toMatch(/send a token/)
  })

  test('another scheme, or no word at all', async () => {
    for (const header of ['Basic dXNlcjpwdw==', 'Bearer', 'Bearer a b']) await refused(header)
  })

  test('what is no token', async () => {
    expect(await refused('Bearer nonsense')).toBe('the token is not a JSON web token')
  })

  test('an expired token', async () => {
    expect(await refused(`Bearer ${await token({ expiresInSeconds: -60 })}`)).toBe('the token has expired')
  })

  test('a token for another audience', async () => {
    expect(await refused(`Bearer ${await token({ audience: 'elsewhere' })}`)).toBe(
      'the claim "aud" is not accepted here',
    )
  })

  test('a token of another issuer', async () => {
    expect(await refused(`Bearer ${await token({ issuer: 'https://evil.test' })}`)).toBe(
      'the claim "iss" is not accepted here',
    )
  })

  test('a token without an end', async () => {
    const { exp: _, ...endless } = claims()
    const signed = await sign(endless)
    expect(await refused(`Bearer ${signed}`)).toBe('the claim "exp" is missing')
  })

  test('an unknown role, and a user who is not a UUID', async () => {
    expect(await refused(`Bearer ${await sign({ ...claims(), role: 'root' })}`)).toMatch(/"role" must be one of/)
    expect(await refused(`Bearer ${await sign({ ...claims(), sub: 'alice' })}`)).toMatch(/must be a lower-case UUID/)
  })

  test('algorithm none', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const unsigned = `${encode({ alg, kid: 'test-1' })}.${encode(claims())}.`
      expect(await refused(`Bearer ${unsigned}`)).toBe('the token is not signed with the algorithm of its key')
    }
  })

  test('HS256 with our public key as the secret', async () => {
    const [jwk] = publicJwks.keys
    const publicKey = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
    ]
    for (const secret of secrets) {
      const signed = `${encode({ alg: 'HS256', kid: 'test-1' })}.${encode(claims())}`
      const forged = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
      expect(await refused(`Bearer ${forged}`)).toBe('the token is not signed with the algorithm of its key')
    }
  })

  test('another key under our key id', async () => {
    const stranger = await createSigningKey('test-1')
    const forged = await signToken(stranger.privateJwk, {
      sub: self,
      role: 'admin',
      issuer,
      audience,
      expiresInSeconds: 300,
    })
    expect(await refused(`Bearer ${forged}`)).toBe('the signature is wrong')
  })

  test('a key that nobody announced', async () => {
    const stranger = await createSigningKey('test-2')
    const forged = await signToken(stranger.privateJwk, {
      sub: self,
      role: 'user',
      issuer,
      audience,
      expiresInSeconds: 300,
    })
    expect(await refused(`Bearer ${forged}`)).toBe('the token is signed with an unknown key')
  })

  test('a valid token with its claims replaced', async () => {
    const [header, , signature] = (await token()).split('.')
    expect(await refused(`Bearer ${header}.${encode({ ...claims(), role: 'admin' })}.${signature}`)).toBe(
      'the signature is wrong',
    )
  })

  test('a token of endless length', async () => {
    expect(await refused(`Bearer ${'x'.repeat(5_000)}`)).toBe('the token is too long')
  })

  test('a remembered token, once it has expired', async () => {
    const strict = testServer({ auth: { keys: readJwks(publicJwks), issuer, audience, clockToleranceSeconds: 0 } })
    const { authorization } = await bearer({ expiresInSeconds: 1 })
    const ask = () => strict.app.inject({ method: 'PUT', url: rankingPath, headers: { authorization }, payload: {} })
    const statuses = [(await ask()).statusCode]
    await expect
      .poll(async () => statuses.push((await ask()).statusCode) && statuses.at(-1), { timeout: 3_000 })
      .toBe(401)
    expect(statuses[0]).toBe(200)
  })

  async function sign(payload: Record<string, unknown>): Promise<string> {
    const { importJWK } = await import('jose')
    return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', kid: 'test-1' }).sign(await importJWK(privateJwk))
  }
})

describe('roles', () => {
  test('a service may act for any user, a user not as a service', async () => {
    const service = await bearer({ sub: 'importer', role: 'service' })
    const asService = await server.app.inject({ method: 'PUT', url: rankingPath, headers: service, payload: {} })
    expect(asService.statusCode).toBe(200)
    const asUser = await server.app.inject({
      method: 'POST',
      url: '/v1/rankings/batch',
      headers: await bearer(),
      payload: { commands: [{}] },
    })
    expect(problemIn(asUser)).toMatchObject({ status: 403, slug: 'forbidden' })
  })

  test('an admin whose subject is the user asked for is still not that user', async () => {
    const response = await server.app.inject({
      url: `/v1/users/${self}/history`,
      headers: await bearer({ role: 'admin' }),
    })
    expect(response.statusCode).toBe(403)
  })

  test('who may not is refused before the body is read', async () => {
    const response = await server.app.inject({
      method: 'POST',
      url: '/v1/rankings/batch',
      headers: { ...(await bearer()), 'content-type': 'application/json' },
      payload: '{"broken',
    })
    expect(response.statusCode).toBe(403)
  })

  test('a public route answers without a token, but not with a wrong one', async () => {
    expect((await server.app.inject({ url: '/v1/public' })).statusCode).toBe(200)
    expect((await server.app.inject({ url: '/v1/public', headers: { authorization: 'Bearer x' } })).statusCode).toBe(
      401,
    )
  })

  test('strangers do not learn which routes exist', async () => {
    expect((await server.app.inject({ url: '/v1/nothing' })).statusCode).toBe(401)
  })
})

describe('a key set', () => {
  let rsa: Record<string, unknown>
  beforeAll(async () => {
    rsa = { ...(await exportJWK((await generateKeyPair('RS256')).publicKey)) }
  })

  test.each(['EdDSA', 'ES256', 'RS256'] as const)('verifies %s', async (algorithm) => {
    const pair = await createSigningKey('k', algorithm)
    const one = testServer({ auth: { keys: readJwks(pair.publicJwks), issuer, audience } })
    const authorization = `Bearer ${await signToken(pair.privateJwk, { sub: self, role: 'user', issuer, audience, expiresInSeconds: 60 })}`
    const response = await one.app.inject({ method: 'PUT', url: rankingPath, headers: { authorization }, payload: {} })
    expect(response.statusCode).toBe(200)
  })

  test('is refused when a key is private, secret, unnamed, without algorithm, or of another type than it says', () => {
    const [good] = publicJwks.keys
    const refusals: [unknown, RegExp][] = [
      [{}, /no "keys"/],
      [{ keys: [] }, /no "keys"/],
      [{ keys: [privateJwk] }, /private key/],
      [{ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'k', alg: 'EdDSA' }] }, /shared secret/],
      [{ keys: [{ ...good, kid: undefined }] }, /no "kid"/],
      [{ keys: [{ ...good, alg: undefined }] }, /needs an "alg"/],
      [{ keys: [{ ...good, alg: 'HS256' }] }, /needs an "alg"/],
      [{ keys: [{ ...good, alg: 'ES256' }] }, /does not fit ES256/],
      [{ keys: [{ ...rsa, kid: 'k', alg: 'EdDSA' }] }, /does not fit EdDSA/],
      [{ keys: [good, good] }, /same "kid"/],
    ]
    for (const [set, reason] of refusals) expect(() => readJwks(set)).toThrow(reason)
  })
})
