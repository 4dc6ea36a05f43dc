/**
 * The public API as an import uses it: create an entity unless it exists, and send a batch of rankings.
 *
 * Every request may be sent twice: an entity is only created (`If-None-Match: *`), a command has its id. So whatever may
 * be a passing trouble (no connection, a lost answer, 408, 425, 429, 5xx) is tried again, with growing pauses or after the
 * server's `Retry-After`, until one request has been in trouble for `patienceMs`. Then, and at once when the server
 * refuses the token or knows no such route, the import stops. Any other refusal is about the one thing that was sent, and
 * is the caller's to report.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { ImportError, messageOf } from './import-error.ts'

/** As the batch route takes it. */
export interface PutCommand {
  readonly type: 'put'
  readonly commandId: string
  readonly userId: string
  readonly restaurantId: string
  readonly dishId: string
  readonly rating?: number
  readonly rank?: number
  readonly notes?: string
  readonly rankedAt: string
}

export type Verdict =
  | { readonly status: 'applied' | 'unchanged' | 'repeated' }
  /** `isPassing`: not the command's fault (a lost race, a dependency that is away); the same command may be sent again. */
  | { readonly status: 'refused'; readonly detail: string; readonly isPassing: boolean }

export type BatchAnswer =
  /** One for each command, in their order. */
  | { readonly kind: 'verdicts'; readonly verdicts: readonly Verdict[] }
  /** The request as a whole was refused for something in it. */
  | { readonly kind: 'refused'; readonly detail: string }

export type CreateAnswer =
  | { readonly kind: 'created' | 'existed' }
  /** `isTaken`: something that must be unique belongs to another entity. */
  | { readonly kind: 'refused'; readonly detail: string; readonly isTaken: boolean }

export interface ApiClient {
  create(path: string, body: object): Promise<CreateAnswer>
  sendBatch(commands: readonly PutCommand[]): Promise<BatchAnswer>
  close(): Promise<void>
}

export interface ApiClientOptions {
  readonly baseUrl: string
  readonly token: string
  readonly connectionsMax: number
  /** How long one request may be in trouble before the import stops. */
  readonly patienceMs: number
  /** Ends pauses and keeps further requests from being sent. */
  readonly signal?: AbortSignal
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly retryAfterMs: number | undefined
}

const requestTimeoutMs = 30_000
const pauseMsMin = 200
const pauseMsMax = 10_000
const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504])
/** Refusals that any other request would meet too. */
const stoppingStatuses = new Set([401, 403, 405, 501])

export function createApiClient(options: ApiClientOptions): ApiClient {
  const base = new URL(options.baseUrl)
  const pool = new Pool(base.origin, {
    connections: options.connectionsMax,
    connect: { timeout: 5_000 },
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
  })
  const prefix = base.pathname.replace(/\/+$/, '')
  const once = (method: 'PUT' | 'POST', path: string, body: object, headers: Record<string, string>) =>
    request(pool, method, `${prefix}${path}`, JSON.stringify(body), {
      authorization: `Bearer ${options.token}`,
      ...headers,
    })
  const call: typeof once = async (method, path, body, headers) => {
    const answer = await untilSettled(options, `${method} ${path}`, () => once(method, path, body, headers))
    if (stoppingStatuses.has(answer.status) || (answer.status === 404 && method === 'POST')) {
      throw new ImportError('stopped', `${method} ${path} was refused: ${problemText(answer)}`)
    }
    return answer
  }
  return {
    async create(path, body) {
      const answer = await call('PUT', path, body, { 'if-none-match': '*' })
      if (answer.status === 201) return { kind: 'created' }
      if (answer.status === 412 || answer.status === 200 || answer.status === 204) return { kind: 'existed' }
      return { kind: 'refused', detail: problemText(answer), isTaken: answer.status === 409 }
    },
    async sendBatch(commands) {
      const answer = await call('POST', '/v1/rankings/batch', { commands }, {})
      if (answer.status !== 200) return { kind: 'refused', detail: problemText(answer) }
      return { kind: 'verdicts', verdicts: verdictsOf(answer.body, commands) }
    },
    close: () => pool.close(),
  }
}

async function request(
  pool: Pool,
  method: 'PUT' | 'POST',
  path: string,
  body: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await pool.request({
    method,
    path,
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  const text = await response.body.text()
  const retryAfterSeconds = Number(response.headers['retry-after'])
  return {
    status: response.statusCode,
    body: parsed(text),
    retryAfterMs: Number.isFinite(retryAfterSeconds) && retryAfterSeconds >= 0 ? retryAfterSeconds * 1000 : undefined,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a proxy's page; its beginning is shown
  }
}

async function untilSettled(options: ApiClientOptions, what: string, attempt: () => Promise<Answer>): Promise<Answer> {
  const startedAtMs = performance.now()
  for (let attempts = 1; ; attempts++) {
    if (options.signal?.aborted === true) throw new ImportError('stopped', 'interrupted')
    let trouble: string
    let retryAfterMs: number | undefined
    try {
      const answer = await attempt()
      if (!passingStatuses.has(answer.status)) return answer
      trouble = problemText(answer)
      retryAfterMs = answer.retryAfterMs
    } catch (error) {
      trouble = networkTrouble(error)
    }
    const pauseMs = retryAfterMs ?? backoffMs(attempts)
    if (performance.now() - startedAtMs + pauseMs > options.patienceMs) {
      throw new ImportError(
        'stopped',
        `${what} failed ${attempts} times in ${options.patienceMs / 1000} s; last: ${trouble}`,
      )
    }
    await pause(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
      () => undefined,
    )
  }
}

/** Doubles from 200 ms, with a fifth of chance in it, so that clients of a restarted server do not come back in step. */
function backoffMs(attempts: number): number {
  return Math.min(pauseMsMin * 2 ** (attempts - 1), pauseMsMax) * (0.9 + Math.random() * 0.2)
}

function networkTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)} ` : ''
  return `${code}${messageOf(error)}`.trim()
}

function verdictsOf(body: unknown, commands: readonly PutCommand[]): Verdict[] {
  const verdicts = isRecord(body) && Array.isArray(body.verdicts) ? (body.verdicts as unknown[]) : []
  if (verdicts.length !== commands.length) {
    throw new ImportError(
      'stopped',
      `a batch of ${commands.length} commands was answered with ${verdicts.length} verdicts`,
    )
  }
  return verdicts.map((verdict, index) => {
    if (!isRecord(verdict) || verdict.commandId !== commands[index]?.commandId) {
      throw new ImportError('stopped', 'the verdicts of a batch are not in the order of its commands')
    }
    return verdictOf(verdict)
  })
}

function verdictOf(verdict: Record<string, unknown>): Verdict {
  const { status, problem } = verdict
  if (status === 'applied' || status === 'unchanged' || status === 'repeated') return { status }
  if (status !== 'refused')
    throw new ImportError('stopped', `a batch was answered with the unknown verdict ${String(status)}`)
  const problemStatus = isRecord(problem) ? Number(problem.status) : 0
  return {
    status,
    detail: problemText({ status: problemStatus, body: problem }),
    isPassing: passingStatuses.has(problemStatus) || isConflict(problem),
  }
}

/** A race lost for longer than the server tries by itself; its other refusals with 409 are the command's own fault. */
function isConflict(problem: unknown): boolean {
  return isRecord(problem) && typeof problem.type === 'string' && problem.type.endsWith('/conflict')
}

/** A problem document as one line: what is wrong, and the fields that are. */
function problemText({ status, body }: { status: number; body: unknown }): string {
  if (!isRecord(body)) return `${status}${typeof body === 'string' && body !== '' ? ` ${body.slice(0, 200)}` : ''}`
  const said = [body.title, body.detail].filter((text) => typeof text === 'string' && text !== '')
  const errors = Array.isArray(body.errors) ? (body.errors as unknown[]).filter(isRecord) : []
  const fields = errors.map((error) => `${String(error.field)} ${String(error.message)}`)
  return `${status} ${[...new Set([...said, ...fields])].join('; ')}`.trim()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
