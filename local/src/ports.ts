import { createServer, type Server } from 'node:net'

/**
 * Ports on the loopback interface. A port counts as free when we could listen on it a moment ago; somebody may still
 * be faster, so whoever starts a part on a port it chose itself tries again with another one.
 */

/** True when nothing listens on the port of 127.0.0.1, and nothing on all addresses. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const server = await listen(port, host)
    if (server === undefined) return false
    await close(server)
  }
  return true
}

/** Any port that is free now. */
export async function anyFreePort(): Promise<number> {
  const server = await listen(0, '127.0.0.1')
  const address = server?.address()
  if (server === undefined || address === null || typeof address !== 'object') {
    throw new Error('No port of 127.0.0.1 is free.')
  }
  await close(server)
  return address.port
}

/**
 * The port a part gets: the remembered one if it is free, else the usual one, else the next free one above it.
 * Ports in `taken` (already given to another part of this start) are never given again.
 */
export async function choosePort(options: {
  readonly usual: number
  readonly remembered?: number | undefined
  readonly taken: ReadonlySet<number>
  readonly isFree?: (port: number) => Promise<boolean>
}): Promise<number> {
  const isFree = options.isFree ?? isPortFree
  const candidates = options.remembered === undefined ? [] : [options.remembered]
  for (let step = 0; step < portsTried; step++) candidates.push(options.usual + step)
  for (const port of candidates) {
    if (!options.taken.has(port) && (await isFree(port))) return port
  }
  throw new Error(`No port from ${options.usual} to ${options.usual + portsTried - 1} is free.`)
}

const portsTried = 200

function listen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined)
      else reject(error)
    })
    server.listen({ port, host, exclusive: true }, () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
