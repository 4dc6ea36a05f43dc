/**
 * The server of the `accept` bar, a process of its own: the real API over the real commands, in one of three forms.
 * `grouped` is how it ships; `single` commits each command in a transaction of its own, 16 beside each other; `route`
 * answers without asking the database at all.
 */
import { createHttpServer, readJwks } from '@bellyfed/http'
import { createPool } from '@bellyfed/postgres'
import { createMetrics, type Part, run } from '@bellyfed/process'
import {
  commandPoolConfig,
  createApiCommandBus,
  createEventLog,
  createRankingCommands,
  rankingRoutes,
} from '@bellyfed/ranking-api'
import { createCodec, registryClient } from '@bellyfed/schemas'
import { silentLogger as log } from '@bellyfed/testkit/world'

const [form = '', url = '', registryUrl = '', jwks = ''] = process.argv.slice(2)
const metrics = createMetrics('accept', { processMetrics: false })
const pool = createPool({
  ...commandPoolConfig,
  url,
  schema: 'ranking_api',
  applicationName: `accept ${form}`,
  poolSizeMax: 18,
})
const registry = registryClient(registryUrl)
const eventLog = createEventLog(pool, registry)
const single = { flushesMax: 16, commandsBesideMin: 1, commandsPerFlushMax: 1 }
const commands = createRankingCommands({
  pool,
  codec: createCodec({ writerSchema: registry.schemaOf }),
  schemaIds: eventLog.schemaIds,
  log,
  metrics,
  options: form === 'single' ? single : {},
})
const ranking = {
  rankingId: '01a1fe22-d0b2-7474-a0d9-c0520eef872b',
  restaurantId: '01a1fe22-d0b2-7474-a0d9-c0520eef872c',
  dishId: '01a1fe22-d0b2-7474-a0d9-c0520eef872d',
  dishType: 'burrito',
  dishName: 'California',
  dishVersion: 1,
  rank: 1,
  ratingHundredths: 435,
  notes: null,
  photoUrl: null,
  firstRankedAtMs: 0,
  lastRankedAtMs: 0,
  createdAtMs: 0,
  updatedAtMs: 0,
  sequence: 1,
}
const event = {
  eventId: ranking.rankingId,
  type: 'DISH_RANKING_UPDATED',
  sequence: 1,
  cause: 'ranked',
  dishId: ranking.dishId,
  oldRank: 1,
  newRank: 1,
} as const
const receipt = { source: 'ranking-api', epoch: 1, xid: 1n, position: 1n, key: ranking.rankingId }
const applied = { status: 'applied', created: false, ranking, listEtag: '"1-1"', events: [event], receipt } as const
const stub = {
  put: () => Promise.resolve(applied),
  remove: () => Promise.resolve(applied),
  batch: () => Promise.resolve([]),
}
const api = createHttpServer({
  host: '127.0.0.1',
  port: 0,
  auth: { keys: readJwks(JSON.parse(jwks)), issuer: 'bench', audience: 'bench' },
  log,
  metrics,
  openapi: { title: 'accept', version: '1' },
  rateLimit: { windowMs: 60_000, requestsMax: { user: 600 } },
  routes: [rankingRoutes(createApiCommandBus(form === 'route' ? stub : commands))],
})
const announce: Part = {
  name: 'announce',
  start: async () => void process.stdout.write(`port ${api.port}\n`),
  stop: async () => undefined,
}
await run([pool, eventLog, commands, api, announce], { log })
