import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createApiReader } from './api-reader.ts'

/** A list of five items, two a page, and a path that is refused. */
async function api(): Promise<string> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://api')
    if (url.pathname === '/refused' || request.headers.authorization !== 'Bearer abc') {
      response.writeHead(403).end('{"title": "Not yours"}')
      return
    }
    const from = Number(url.searchParams.get('cursor') ?? 0)
    const next = from + 2 < 5 ? String(from + 2) : null
    response.end(JSON.stringify({ items: [1, 2, 3, 4, 5].slice(from, from + 2), nextCursor: next }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a list is read to its last page', async () => {
  const reader = createApiReader(await api(), 'abc')
  expect(await reader.list('/items?limit=2', 'items', 100)).toEqual([1, 2, 3, 4, 5])
})

test('no more is read than asked for', async () => {
  const reader = createApiReader(await api(), 'abc')
  expect(await reader.list('/items', 'items', 3)).toEqual([1, 2, 3])
})

test('a refusal says what was refused and why', async () => {
  const reader = createApiReader(await api(), 'abc')
  await expect(reader.get('/refused')).rejects.toThrow('GET /refused: 403 Not yours')
})
