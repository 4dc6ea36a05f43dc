import { describe, expect, test } from 'vitest'
import { entityTag, includesTag, notModified, parseIfMatch, parseIfNoneMatch } from './entity-tag.ts'
import { testServer } from './testing/fixtures.ts'

describe('If-Match', () => {
  test('absent, any, one, several', () => {
    expect(parseIfMatch(undefined)).toBeUndefined()
    expect(parseIfMatch('*')).toBe('*')
    expect(parseIfMatch('"7"')).toEqual(['"7"'])
    expect(parseIfMatch('"7", "8"')).toEqual(['"7"', '"8"'])
  })

  test('compares strongly: a weak tag never matches', () => {
    expect(parseIfMatch('W/"7"')).toEqual([])
    expect(includesTag(parseIfMatch('W/"7"') ?? [], entityTag(7))).toBe(false)
  })

  test('any state matches *, no state matches nothing', () => {
    expect(includesTag('*', entityTag(7n))).toBe(true)
    expect(includesTag('*', undefined)).toBe(false)
    expect(includesTag(['"7"'], undefined)).toBe(false)
  })

  test.each(['7', '"7', '"7" "8"', '', `"${'x'.repeat(2_000)}"`])('malformed %j is refused', (header) => {
    expect(() => parseIfMatch(header)).toThrow(expect.objectContaining({ slug: 'invalid-request', status: 400 }))
  })
})

test('a client that has seen the state gets 304 with the tag and no body', async () => {
  const server = testServer({
    routes: [
      (app) => {
        app.get('/v1/thing', { config: { isPublic: true } }, (request, reply) =>
          notModified(request, reply, entityTag(3)) ? reply.send() : reply.send({ name: 'ramen' }),
        )
      },
    ],
  })
  const ask = (tag: string) => server.app.inject({ url: '/v1/thing', headers: { 'if-none-match': tag } })
  const seen = await ask('W/"3"')
  expect([seen.statusCode, seen.body, seen.headers.etag]).toEqual([304, '', '"3"'])
  const changed = await ask('"2"')
  expect([changed.statusCode, changed.json(), changed.headers.etag]).toEqual([200, { name: 'ramen' }, '"3"'])
})

test('If-None-Match compares weakly', () => {
  expect(parseIfNoneMatch('W/"7", "8"')).toEqual(['"7"', '"8"'])
})
