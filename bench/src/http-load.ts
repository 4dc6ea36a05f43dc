/**
 * A load of HTTP requests over a fixed number of connections, each with one request under way. Requests are bytes made
 * beforehand and answers are hardly looked at, so that on a small machine the client takes as little as possible from the
 * server that is measured.
 */
import { connect, type Socket } from 'node:net'

export interface Target {
  readonly host: string
  readonly port: number
}

/** The bytes of a request with a JSON body. */
export function requestBytes(method: string, path: string, { token, body }: { token: string; body: unknown }): Buffer {
  const payload = JSON.stringify(body)
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
  )
}

const headEnd = Buffer.from('\r\n\r\n')

/** The length of the first answer in `bytes`, or undefined while it is incomplete. */
function answerLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(headEnd)
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  if (!head.startsWith('HTTP/1.1 20')) throw new Error(`unexpected answer: ${bytes.toString('utf8').slice(0, 600)}`)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const total = end + headEnd.length + length
  return bytes.length >= total ? total : undefined
}

/** Sends each lane's requests one after the other, all lanes beside each other; answers the seconds that took. */
export async function runLanes(target: Target, lanes: readonly (readonly Buffer[])[]): Promise<number> {
  const sockets = await Promise.all(lanes.map(() => open(target)))
  const startedAtMs = performance.now()
  await Promise.all(sockets.map((socket, lane) => runLane(socket, lanes[lane] ?? [])))
  const seconds = (performance.now() - startedAtMs) / 1_000
  for (const socket of sockets) socket.destroy()
  return seconds
}

function open({ host, port }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function runLane(socket: Socket, requests: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0
    let pending: Buffer = Buffer.alloc(0)
    const send = () => {
      const request = requests[next]
      next += 1
      if (request === undefined) resolve()
      else socket.write(request)
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed a connection')))
    socket.on('data', (data: Buffer) => {
      try {
        pending = pending.length === 0 ? data : Buffer.concat([pending, data])
        const length = answerLength(pending)
        if (length === undefined) return
        pending = pending.subarray(length)
        send()
      } catch (error) {
        reject(error)
      }
    })
    send()
  })
}
