/**
 * A TCP proxy that misbehaves on demand, for what a real network does to an answer: it is late, it never comes, or the
 * connection dies after the server has acted and before the client could know.
 *
 * Each accepted connection is piped to the target. A rule armed by `cutWhen` looks at the bytes of one direction, from
 * the moment it is armed, on every connection; the first match cuts that connection, and the rule is spent. With
 * `deliver: false` the matching bytes are swallowed (a lost answer), with `deliver: true` they arrive first (a lost
 * connection whose last request was acted on).
 */
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'

/** Bytes of the previous chunks that a rule sees again, so that a pattern split over two chunks is still found. */
const overlapBytes = 512

export type Direction = 'to-server' | 'to-client'

export interface CutRule {
  direction: Direction
  /** Sees each chunk with up to 512 bytes of what came before it on the same connection since arming. */
  matches: (bytes: Buffer) => boolean
  /** Whether the matching chunk still arrives before the cut. */
  deliver: boolean
}

export interface TcpProxy {
  readonly host: string
  readonly port: number
  /** Connections open at this moment. */
  readonly connections: number
  /** Connections accepted since the start. */
  readonly accepted: number
  /** `url` with its host and port replaced by the proxy's. */
  through(url: string): string
  /** Arms one rule; resolves when it has cut a connection. */
  cutWhen(rule: CutRule): Promise<void>
  /** Cuts every open connection at once (RST, no farewell). */
  cutAll(): void
  /** Refuses new connections and cuts the open ones, until `up`. */
  down(): void
  up(): void
  /** Holds every chunk of a direction back by this many milliseconds; 0 ends it. */
  delay(direction: Direction, delayMs: number): void
  close(): Promise<void>
}

interface ArmedRule extends CutRule {
  seen: WeakMap<Connection, Buffer>
  spent: () => void
}

interface Connection {
  client: Socket
  server: Socket
}

/** Starts a proxy on a free loopback port in front of `target`. */
export async function createTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Connection>()
  const rules = new Set<ArmedRule>()
  const delays: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 }
  let accepted = 0
  let isUp = true

  const cut = (connection: Connection) => {
    open.delete(connection)
    connection.client.resetAndDestroy()
    connection.server.resetAndDestroy()
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (!isUp) return void client.resetAndDestroy()
    accepted += 1
    const connection = { client, server: tcpConnect({ ...target, noDelay: true, allowHalfOpen: true }) }
    open.add(connection)
    client.once('close', () => open.delete(connection))
    const pump = (from: Socket, to: Socket, direction: Direction) =>
      pipe(
        { from, to, delayMs: () => delays[direction] },
        (bytes) => {
          const rule = ruleFor(rules, connection, direction, bytes)
          if (rule === undefined) return 'pass'
          rules.delete(rule)
          rule.spent()
          return rule.deliver ? 'pass-then-cut' : 'cut'
        },
        () => cut(connection),
      )
    pump(client, connection.server, 'to-server')
    pump(connection.server, client, 'to-client')
  })
  const { host, port } = await listening(server)

  return {
    host,
    port,
    get connections() {
      return open.size
    },
    get accepted() {
      return accepted
    },
    through(url) {
      const rewritten = new URL(url)
      rewritten.hostname = host
      rewritten.port = String(port)
      return rewritten.toString()
    },
    cutWhen: (rule) => new Promise((spent) => rules.add({ ...rule, seen: new WeakMap(), spent })),
    cutAll() {
      for (const connection of [...open]) cut(connection)
    },
    down() {
      isUp = false
      for (const connection of [...open]) cut(connection)
    },
    up() {
      isUp = true
    },
    delay(direction, delayMs) {
      delays[direction] = delayMs
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of [...open]) cut(connection)
      await closed
    },
  }
}

function ruleFor(
  rules: Set<ArmedRule>,
  connection: Connection,
  direction: Direction,
  chunk: Buffer,
): ArmedRule | undefined {
  for (const rule of rules) {
    if (rule.direction !== direction) continue
    const before = rule.seen.get(connection)
    const bytes = before === undefined ? chunk : Buffer.concat([before, chunk])
    if (rule.matches(bytes)) return rule
    rule.seen.set(connection, bytes.subarray(-overlapBytes))
  }
  return undefined
}

type Fate = 'pass' | 'pass-then-cut' | 'cut'

/** Moves bytes in order, with back pressure; a chunk that was delayed is never overtaken by a later one. */
function pipe(
  { from, to, delayMs }: { from: Socket; to: Socket; delayMs: () => number },
  fateOf: (bytes: Buffer) => Fate,
  cut: () => void,
): void {
  let queue: Promise<unknown> = Promise.resolve()
  const inOrder = (work: () => void, holdMs: number) => {
    queue = queue.then(async () => {
      if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs))
      work()
    })
  }
  from.on('data', (bytes: Buffer) => {
    const fate = fateOf(bytes)
    inOrder(() => {
      if (fate === 'cut') return cut()
      if (to.destroyed) return
      const hasRoom = to.write(bytes, fate === 'pass-then-cut' ? () => setImmediate(cut) : undefined)
      if (!hasRoom) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    }, delayMs())
  })
  from.on('end', () => inOrder(() => to.end(), 0))
  from.on('error', cut)
  from.on('close', (hadError) => {
    if (hadError) cut()
  })
}

function listening(server: Server): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('the proxy has no port'))
      resolve({ host: '127.0.0.1', port: address.port })
    })
  })
}
