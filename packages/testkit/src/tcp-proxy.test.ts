import { once } from 'node:events'
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { createTcpProxy, type TcpProxy } from './tcp-proxy.ts'

let echo: Server
let received: string
let proxy: TcpProxy

beforeEach(async () => {
  received = ''
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('data', (bytes) => {
      received += bytes.toString()
      socket.write(`ok ${bytes.toString()}`)
    })
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  proxy = await createTcpProxy({ host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 })
})

afterEach(async () => {
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

async function client(): Promise<Socket> {
  const socket = tcpConnect({ host: proxy.host, port: proxy.port })
  await once(socket, 'connect')
  return socket
}

/** Resolves with the error code of the connection's end, 'closed' for an ordinary one. */
const endOf = (socket: Socket) =>
  new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('close', () => resolve('closed'))
  })

describe('tcp proxy', () => {
  test('passes bytes both ways and ends with the client', async () => {
    const socket = await client()
    socket.end('hello')
    expect(await text(socket)).toBe('ok hello')
    await eventually(() => proxy.connections === 0, { what: 'the connection is forgotten' })
  })

  test('swallows a matching answer: the server acted, the client never hears', async () => {
    const socket = await client()
    const cut = proxy.cutWhen({ direction: 'to-client', matches: (bytes) => bytes.includes('ok'), deliver: false })
    const heard = text(socket).catch(() => '')
    const end = endOf(socket)
    socket.write('COMMIT')
    await cut
    expect(await end).toBe('ECONNRESET')
    expect(await heard).toBe('')
    expect(received).toBe('COMMIT')
  })

  test('swallows a matching request: the server never hears', async () => {
    const socket = await client()
    const cut = proxy.cutWhen({ direction: 'to-server', matches: (bytes) => bytes.includes('COMMIT'), deliver: false })
    const end = endOf(socket)
    socket.write('COMMIT')
    await cut
    await end
    expect(received).toBe('')
  })

  test('finds a pattern that is split over two chunks', async () => {
    const socket = await client()
    const cut = proxy.cutWhen({ direction: 'to-server', matches: (bytes) => bytes.includes('COMMIT'), deliver: true })
    const end = endOf(socket)
    socket.write('COM')
    await eventually(() => received === 'COM', { what: 'the first half arrived' })
    socket.write('MIT')
    await cut
    await end
    await eventually(() => received === 'COMMIT', { what: 'the second half arrived before the cut' })
  })

  test('a rule does not see what came before it was armed, and is spent after one cut', async () => {
    const first = await client()
    first.write('COMMIT')
    await eventually(() => received === 'COMMIT', { what: 'the earlier bytes passed' })
    const cut = proxy.cutWhen({ direction: 'to-server', matches: (bytes) => bytes.includes('COMMIT'), deliver: false })
    first.write('more')
    await eventually(() => received === 'COMMITmore', { what: 'unmatched bytes pass' })
    const end = endOf(first)
    first.write('COMMIT')
    await Promise.all([cut, end])
    const second = await client()
    second.end('COMMIT')
    expect(await text(second)).toBe('ok COMMIT')
  })

  test('down cuts and refuses, up accepts again', async () => {
    const socket = await client()
    const end = endOf(socket)
    proxy.down()
    expect(await end).toBe('ECONNRESET')
    const refused = tcpConnect({ host: proxy.host, port: proxy.port })
    expect(['ECONNRESET', 'closed']).toContain(await endOf(refused))
    proxy.up()
    const again = await client()
    again.end('x')
    expect(await text(again)).toBe('ok x')
  })

  test('a delayed direction is late and in order', async () => {
    proxy.delay('to-client', 50)
    const socket = await client()
    const startMs = performance.now()
    socket.write('a')
    await eventually(() => received === 'a', { what: 'the request is not delayed' })
    socket.end('b')
    expect(await text(socket)).toBe('ok aok b')
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(49)
  })
})
