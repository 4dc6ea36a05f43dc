/**
 * An API that remembers what it was told and fails when asked to. It stands in for the real one only where a test needs
 * faults at a certain request: refused, dropped before the work, or dropped after the work and before the answer.
 *
 * It keeps the promises that an import rests on (an entity is created once, a command id is applied once) and watches the
 * one that the import makes: the commands of one user are never in two requests at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { PutCommand } from '../api-client.ts'

export type Fault =
  | { readonly status: number; readonly retryAfterSeconds?: number; readonly problem?: object }
  | 'drop-before'
  | 'drop-after'

export interface RequestSeen {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly ifNoneMatch: string | undefined
  readonly authorization: string | undefined
}

export interface RecordingApiOptions {
  /** Asked for each request, which are counted from 1 for each of the two: entities and batches. */
  readonly faultOf?: (request: { kind: 'entity' | 'batch'; nth: number; path: string }) => Fault | undefined
  /** A refusal of one command by itself. */
  readonly refusalOf?: (
    command: PutCommand,
    nth: number,
  ) => { type?: string; status: number; title: string } | undefined
  /** How long a batch is worked on, so that several are there at once. */
  readonly latencyMs?: number
}

export class RecordingApi {
  readonly entities = new Map<string, unknown>()
  /** Commands that were applied, in order. */
  readonly applied: PutCommand[] = []
  readonly requests: RequestSeen[] = []
  batchesAtOnceMax = 0
  /** A user's commands were in two requests at once. */
  isOrderAtRisk = false
  readonly #options: RecordingApiOptions
  readonly #bodies = new Map<string, string>()
  readonly #usersBusy: string[] = []
  readonly #counts = { entity: 0, batch: 0 }
  #batchesNow = 0
  #commandsSeen = 0
  readonly #server = createServer((request, response) => void this.#handle(request, response))

  constructor(options: RecordingApiOptions = {}) {
    this.#options = options
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** The batches' commands as they came, whatever became of them. */
  get batches(): PutCommand[][] {
    return this.requests
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => (body as { commands: PutCommand[] }).commands)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const ifNoneMatch = headers['if-none-match']
    this.requests.push({ method, path, body, ifNoneMatch, authorization: headers.authorization })
    const kind = method === 'POST' ? 'batch' : 'entity'
    const fault = this.#options.faultOf?.({ kind, nth: ++this.#counts[kind], path })
    if (fault === 'drop-before') return void request.socket.destroy()
    if (typeof fault === 'object') return answer(response, fault.status, fault.problem ?? { title: 'as asked' }, fault)
    if (kind === 'entity') {
      const exists = this.entities.has(path)
      if (!exists) this.entities.set(path, body)
      if (fault === 'drop-after') return void request.socket.destroy()
      return answer(response, exists ? 412 : 201, body)
    }
    const verdicts = await this.#workOn((body as { commands: PutCommand[] }).commands)
    if (fault === 'drop-after') return void request.socket.destroy()
    answer(response, 200, { verdicts })
  }

  async #workOn(commands: readonly PutCommand[]) {
    const users = [...new Set(commands.map(({ userId }) => userId))]
    if (users.some((user) => this.#usersBusy.includes(user))) this.isOrderAtRisk = true
    this.#usersBusy.push(...users)
    this.#batchesNow++
    this.batchesAtOnceMax = Math.max(this.batchesAtOnceMax, this.#batchesNow)
    await pause(this.#options.latencyMs ?? 0)
    const verdicts = commands.map((command) => this.#decide(command))
    for (const user of users) this.#usersBusy.splice(this.#usersBusy.indexOf(user), 1)
    this.#batchesNow--
    return verdicts
  }

  #decide(command: PutCommand) {
    const { commandId } = command
    const refusal = this.#options.refusalOf?.(command, ++this.#commandsSeen)
    if (refusal !== undefined) return { commandId, status: 'refused', problem: refusal }
    const known = this.#bodies.get(commandId)
    const body = JSON.stringify(command)
    if (known === body) return { commandId, status: 'repeated' }
    if (known !== undefined)
      return { commandId, status: 'refused', problem: { status: 422, title: 'Another body under this id' } }
    this.#bodies.set(commandId, body)
    this.applied.push(command)
    return { commandId, status: 'applied' }
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  options: { retryAfterSeconds?: number } = {},
): void {
  const retryAfter = options.retryAfterSeconds === undefined ? {} : { 'retry-after': String(options.retryAfterSeconds) }
  response.writeHead(status, { 'content-type': 'application/json', ...retryAfter }).end(JSON.stringify(body))
}
