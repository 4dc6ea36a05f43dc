/** The API over a real database, asked without a network: what the tests of its routes share. */
import { createSigningKey, readJwks, signToken } from '@bellyfed/http'
import { createMetrics } from '@bellyfed/process'
import { registryClient } from '@bellyfed/schemas'
import { idOf, silentLogger, testPlatform } from '@bellyfed/testkit'
import { createApi } from '../api.ts'
import { createRankingCommands } from '../commands/ranking-commands.ts'
import { createEventLog } from '../event-log.ts'
import { rankingApiMigrations, schema } from '../migrations.ts'

export interface Answer<Body> {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Body
}

export interface Ask {
  /** A user's name, or `service` or `admin`; absent: no token. */
  readonly as?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Call at the top level of a test file. */
export async function apiUnderTest() {
  const platform = testPlatform()
  const database = await platform.database([{ schema, migrations: rankingApiMigrations }])
  const pool = await database.pool(schema)
  const { codec, registryUrl } = await platform.events()
  const log = silentLogger
  const metrics = createMetrics('test', { processMetrics: false })
  const eventLog = createEventLog(pool, registryClient(registryUrl))
  await eventLog.start()
  const rankings = createRankingCommands({ pool, codec, schemaIds: eventLog.schemaIds, log, metrics })
  await rankings.start()
  platform.onEnd(() => rankings.stop())
  const { privateJwk, publicJwks } = await createSigningKey('test')
  const claims = { issuer: 'test', audience: 'test' }
  const config = {
    http: { host: '127.0.0.1', port: 0, operationsPort: 0 },
    auth: { keys: readJwks(publicJwks), ...claims },
    history: { url: 'http://127.0.0.1:9', timeoutMs: 500 },
    requestsPerMinuteMax: 10_000,
  }
  const { app } = createApi({ config, pool, rankings, log, metrics })
  platform.onEnd(() => app.close())

  const tokenOf = (name: string) => {
    const isRole = name === 'service' || name === 'admin'
    return signToken(privateJwk, {
      sub: isRole ? name : idOf('user', name),
      role: isRole ? name : 'user',
      ...claims,
      expiresInSeconds: 60,
    })
  }

  async function ask<Body = Record<string, unknown>>(request: string, options: Ask = {}): Promise<Answer<Body>> {
    const [method, url] = request.split(' ') as ['GET', string]
    const token = options.as === undefined ? undefined : await tokenOf(options.as)
    const response = await app.inject({
      method,
      url,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body !== undefined && {
        payload: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
      }),
    })
    const body = (response.body === '' ? null : response.json()) as Body
    return { status: response.statusCode, headers: response.headers, body }
  }

  /** A user, a restaurant and dishes on its menu. */
  async function seed(names: { user: string; restaurant: string; dishes: readonly string[] }): Promise<void> {
    const as = 'service'
    const restaurantId = idOf('restaurant', names.restaurant)
    const made = [
      await ask(`PUT /v1/users/${idOf('user', names.user)}`, { as, body: { username: names.user } }),
      await ask(`PUT /v1/restaurants/${restaurantId}`, { as, body: { name: names.restaurant, city: 'San Diego' } }),
    ]
    for (const dish of names.dishes) {
      const dishId = idOf('dish', dish)
      made.push(await ask(`PUT /v1/dishes/${dishId}`, { as, body: { name: dish, dishType: 'burrito' } }))
      made.push(await ask(`PUT /v1/restaurants/${restaurantId}/menu/${dishId}`, { as, body: { price: 6.49 } }))
    }
    const failed = made.find(({ status }) => status >= 300)
    if (failed !== undefined) throw new Error(`seeding failed: ${JSON.stringify(failed)}`)
  }

  const rankingPath = (user: string, restaurant: string, dish: string) =>
    `/v1/users/${idOf('user', user)}/rankings/${idOf('restaurant', restaurant)}/${idOf('dish', dish)}`

  return { ask, seed, rankingPath, pool, database, tokenOf }
}
