import { randomUUID } from 'node:crypto'
import { type ApiReader, createApiReader } from './api-reader.ts'
import { signLocalToken } from './keys.ts'
import type { Layout } from './layout.ts'
import type { Platform } from './platform.ts'
import type { PlatformDefinition } from './services.ts'

/** What a person needs once everything is ready: where things are, what the read models say, a token, three commands. */
export async function screenOf(options: {
  readonly layout: Layout
  readonly definition: PlatformDefinition
  readonly platform: Platform
}): Promise<string> {
  const { layout, definition, platform } = options
  const { postgres, kafka, registry } = platform.endpoints
  const places = table([
    ['API', platform.apiUrl === undefined ? '-' : `${platform.apiUrl}, described at ${platform.apiUrl}/openapi.json`],
    ['PostgreSQL', postgres.ownerUrl],
    ['Kafka', kafka.brokers.join(',')],
    ['Registry', registry.url],
    ['Logs', 'npm run local:logs [-- <name>] [--follow]'],
  ])
  if (platform.apiUrl === undefined) return places
  const sign = (subject: string, role: 'user' | 'service') =>
    signLocalToken(layout, { subject, role, expiresInSeconds: tokenSeconds })
  const reader = createApiReader(platform.apiUrl, await sign('local-screen', 'service'))
  const said = await readModels(reader, definition.example).catch((error: unknown) => ({
    lines: [['-', `could not be asked: ${error instanceof Error ? error.message : String(error)}`]] as Rows,
    ranking: undefined,
  }))
  const userId = said.ranking?.userId ?? randomUUID()
  const commands = tryCommands(platform.apiUrl, definition.example, { userId, ...said.ranking })
  return [
    places,
    `What the read models say:\n\n${table(said.lines)}`,
    `Try it, as the user ${userId} (the token is good for 12 h):\n\nTOKEN=${await sign(userId, 'user')}\n\n${commands}`,
    'Ctrl-C stops everything; data stays in .local.\n',
  ].join('\n')
}

type Rows = readonly (readonly [string, string])[]

interface ExampleRanking {
  readonly userId: string
  readonly restaurantId: string
  readonly dishId: string
}

const tokenSeconds = 12 * 3_600
const itemsMax = 2_000

/** Asks each read model through the API. */
async function readModels(
  reader: ApiReader,
  example: PlatformDefinition['example'],
): Promise<{ lines: Rows; ranking: ExampleRanking | undefined }> {
  const query = `city=${encodeURIComponent(example.city)}&dishType=${encodeURIComponent(example.dishType)}&limit=100`
  const dishes = await reader.list(`/v1/dishes/best?${query}`, 'dishes', itemsMax)
  const best = asRecord(dishes[0])
  if (best === undefined) return { lines: [['rankings', `none of a ${example.dishType} yet`]], ranking: undefined }
  const lines: [string, string][] = [
    [
      `best ${example.dishType}`,
      `${best.dishName} at ${best.restaurantName}: ${best.oneBestCount} times the One Best, rated ${best.ratingMean} ` +
        `by ${best.ratingCount}; ${dishes.length} ranked in ${example.city}`,
    ],
  ]
  const changes = await settled(() => reader.list(`/v1/dishes/${best.dishId}/history?limit=200`, 'changes', itemsMax))
  const latest = asRecord(changes[0])
  lines.push(['its history', `${changes.length} changes, the latest of ${latest?.occurredAt ?? '-'}`])
  if (latest === undefined) return { lines, ranking: undefined }
  const { userId, restaurantId, dishId } = latest
  const rankings = await reader.list(`/v1/users/${userId}/rankings?limit=100`, 'rankings', itemsMax)
  const history = await reader.list(`/v1/users/${userId}/history?limit=200`, 'changes', itemsMax)
  lines.push(['its latest ranker', `${rankings.length} rankings, ${history.length} changes in history`])
  const ranking = { userId: String(userId), restaurantId: String(restaurantId), dishId: String(dishId) }
  return { lines, ranking }
}

/** Right after an import the history is some moments behind: reads until two answers agree, for a bounded time. */
async function settled(read: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  const deadline = performance.now() + settledWithinMs
  let last = await read()
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, settledIntervalMs))
    const next = await read()
    if (next.length > 0 && next.length === last.length) return next
    last = next
  }
  return last
}

const settledWithinMs = 10_000
const settledIntervalMs = 250

function tryCommands(
  apiUrl: string,
  example: PlatformDefinition['example'],
  ranking: { readonly userId: string } & Partial<ExampleRanking>,
): string {
  const token = '-H "authorization: Bearer $TOKEN"'
  const user = `${apiUrl}/v1/users/${ranking.userId}`
  const best = `curl -sG ${token} ${apiUrl}/v1/dishes/best --data-urlencode 'city=${example.city}' -d dishType=${example.dishType}`
  const put =
    ranking.dishId === undefined
      ? `curl -s ${token} ${user}/rankings`
      : `curl -sX PUT ${token} -H 'content-type: application/json' -d '{"rating": 4.75}' ${user}/rankings/${ranking.restaurantId}/${ranking.dishId}`
  return `${[best, put, `curl -s ${token} '${user}/history?limit=3'`].join('\n\n')}\n`
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function table(rows: Rows): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('')
}
