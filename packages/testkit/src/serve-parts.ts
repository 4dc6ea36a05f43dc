/**
 * Starts the parts of integration tests and keeps them until SIGTERM or Ctrl-C.
 *
 *   node --conditions=source packages/testkit/src/serve-parts.ts
 *
 * starts all and prints the `export …` lines to evaluate in another shell, so that many test runs share them. With
 * `--on-demand` (as the global set-up of the tests uses it) it prints a URL instead, and a part is started when it is
 * first asked for: `GET <url>/postgres` → its endpoint as text.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createParts, givenPartVariables, type Parts, partNames } from './parts.ts'

function serve(parts: Parts): Server {
  const server = createServer((request, response) => {
    const name = partNames.find((part) => request.url === `/${part}`)
    const answer = (status: number, body: string) => {
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    }
    if (name === undefined) {
      answer(404, `no such part: ${request.url}`)
      return
    }
    parts.endpoint(name).then(
      (endpoint) => answer(200, endpoint),
      (error: Error) => answer(500, error.stack ?? error.message),
    )
  })
  // A first start fetches packages: far beyond Node's default.
  server.requestTimeout = 0
  return server
}

async function printExports(parts: Parts): Promise<void> {
  const endpoints = await Promise.all(partNames.map((name) => parts.endpoint(name)))
  for (const [index, name] of partNames.entries()) {
    process.stdout.write(`export ${givenPartVariables[name]}='${endpoints[index]}'\n`)
  }
}

const ended = Promise.withResolvers<void>()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.resolve())

const parts = createParts(process.env)
const server = serve(parts)
try {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  if (process.argv.includes('--on-demand')) {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
  } else {
    await printExports(parts)
  }
  await ended.promise
} finally {
  server.closeAllConnections()
  server.close()
  await parts.stop()
}
