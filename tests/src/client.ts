/** A client of the public API as it should be: it repeats a command under its own id until it has a verdict. */
import { eventually } from '@bellyfed/testkit'

export interface PutCommand {
  readonly type: 'put'
  readonly commandId: string
  readonly userId: string
  readonly restaurantId: string
  readonly dishId: string
  readonly rating: number
}

export interface Verdict {
  readonly commandId: string
  readonly status: 'applied' | 'unchanged' | 'repeated' | 'refused'
  readonly problem?: { readonly type: string; readonly status: number; readonly detail?: string }
}

export interface Api {
  readonly baseUrl: string
  readonly token: string
}

const attemptTimeoutMs = 20_000
const verdictTimeoutMs = 120_000

/** One request. Rejects when there is no answer. */
export async function call(api: Api, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${api.baseUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(attemptTimeoutMs),
  })
}

/** The JSON of a successful answer; throws what the answer says otherwise. */
export async function ask<T>(api: Api, method: string, path: string, body?: object): Promise<T> {
  const response = await call(api, method, path, body)
  const text = await response.text()
  if (!response.ok || response.status === 202) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

/**
 * Sends a batch, and what has no lasting verdict of it again, in order, until every command was accepted. Resolves to
 * the ids in the order of the commands, and to how many requests it took. Throws at a refusal that will not pass.
 */
export async function sendUntilAccepted(
  api: Api,
  commands: readonly PutCommand[],
): Promise<{ readonly requestCount: number; readonly unchangedCount: number }> {
  let left = commands
  let requestCount = 0
  let unchangedCount = 0
  let refusal: Verdict | undefined
  await eventually(
    async () => {
      requestCount++
      const { verdicts } = await ask<{ verdicts: Verdict[] }>(api, 'POST', '/v1/rankings/batch', { commands: left })
      refusal = verdicts.find((verdict) => verdict.status === 'refused' && !isPassing(verdict))
      if (refusal !== undefined) return true
      unchangedCount += verdicts.filter(({ status }) => status === 'unchanged').length
      const passing = new Set(verdicts.filter(({ status }) => status === 'refused').map(({ commandId }) => commandId))
      left = left.filter(({ commandId }) => passing.has(commandId))
      return left.length === 0
    },
    { timeoutMs: verdictTimeoutMs, what: `a verdict on each of ${commands.length} commands` },
  )
  if (refusal !== undefined) throw new Error(`refused for good: ${JSON.stringify(refusal)}`)
  return { requestCount, unchangedCount }
}

/** A dependency that is away, or a race lost for longer than the server tries by itself. */
function isPassing({ problem }: Verdict): boolean {
  return (
    problem !== undefined && (problem.status >= 500 || problem.status === 429 || problem.type.endsWith('/conflict'))
  )
}

/** Runs `work` over the items, at most `concurrency` at once, started in their order. */
export async function forEachOf<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
