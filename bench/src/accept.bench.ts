/**
 * `accept`: PUT of a ranking over 64 connections, each one event, answered after COMMIT. Server, client and PostgreSQL share
 * the machine.
 * Limit: the same set-wise statements with all rows prebuilt, without HTTP, and as many commands in flight: two flushes of 32
 * beside each other. Naive: the same server with one transaction a
 * request. Beside it, the rate of the route without a database.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createSigningKey, signToken } from '@bellyfed/http'
import { arrayOf, inlineStatement } from '@bellyfed/postgres'
import { createEventLog, type RankingRequest } from '@bellyfed/ranking-api'
import { type DishId, type RestaurantId, registryClient, type UserId } from '@bellyfed/schemas'
import { v5 } from 'uuid'
import { prebuildFlush, sendFlushes } from './accept-limit.ts'
import { type Bar, median } from './bar.ts'
import { requestBytes, runLanes } from './http-load.ts'
import { createWorld, type World } from './world.ts'

const connectionCount = 64
const usersPerConnection = 16
const flushesBesideEachOther = 2
const commandsPerFlush = connectionCount / flushesBesideEachOther
const namespace = '0b6e2d0c-8d5c-5a53-9d9f-8f1f1c0a7a11'
const restaurantId = v5('restaurant', namespace) as RestaurantId
const dishId = v5('dish', namespace) as DishId
const userIds = Array.from(
  { length: connectionCount * usersPerConnection },
  (_, index) => v5(`user ${index}`, namespace) as UserId,
)

interface Server {
  readonly port: number
  readonly child: ChildProcess
}

export const acceptBar: Bar = {
  name: 'accept',
  unit: 'commands/s',
  floor: { ratioToLimit: 0.6, ratioToNaive: 4 },
  async prepare(context) {
    const world = await createWorld(context, 1)
    await seed(world)
    const { privateJwk, publicJwks } = await createSigningKey('bench')
    const claims = { issuer: 'bench', audience: 'bench', expiresInSeconds: 3_600 }
    const token = await signToken(privateJwk, { sub: 'bench', role: 'service', ...claims })
    const start = (form: string) => startServer(world, form, JSON.stringify(publicJwks))
    const servers = { grouped: await start('grouped'), single: await start('single'), route: await start('route') }
    const perConnection = context.quick ? 8 : 96
    const naivePerConnection = context.quick ? 4 : 24
    const routeRates: number[] = []
    // Never the same rating twice in a row, so that every command is one event.
    let turn = 0

    const rate = async (server: Server, count: number) => {
      const lanes = Array.from({ length: connectionCount }, (_, lane) =>
        Array.from({ length: count }, (_, index) =>
          putBytes(lane, index, turn + Math.floor(index / usersPerConnection), token),
        ),
      )
      turn += Math.ceil(count / usersPerConnection)
      return (connectionCount * count) / (await runLanes({ host: '127.0.0.1', port: server.port }, lanes))
    }

    return {
      ours: async () => {
        await settle(world)
        return rate(servers.grouped, perConnection)
      },
      limit: async (round) => {
        await settle(world)
        if (round >= 0) routeRates.push(await rate(servers.route, perConnection))
        turn += 1
        const flushes = await prebuild(world, turn)
        return userIds.length / (await sendFlushes(world.pools.rankingApi, flushes, flushesBesideEachOther))
      },
      naive: async () => {
        await settle(world)
        return rate(servers.single, naivePerConnection)
      },
      details: () => ({ 'the route without a database, requests/s': median(routeRates) }),
      close: async () => {
        await Promise.all(Object.values(servers).map(stopServer))
        await world.close()
      },
    }
  },
}

const ratingOf = (turn: number) => 50 + (turn % 451)

function putBytes(lane: number, index: number, turn: number, token: string): Buffer {
  const userId = userIds[lane * usersPerConnection + (index % usersPerConnection)] ?? ''
  const body = { rating: ratingOf(turn) / 100 }
  return requestBytes('PUT', `/v1/users/${userId}/rankings/${restaurantId}/${dishId}`, { token, body })
}

/** Each user once. */
async function prebuild(world: World, turn: number) {
  const eventLog = createEventLog(world.pools.rankingApi, registryClient(world.registryUrl))
  await eventLog.start()
  const encoding = { codec: world.events.codec, schemaIds: eventLog.schemaIds }
  const flushes = []
  for (let from = 0; from < userIds.length; from += commandsPerFlush) {
    const requests = userIds.slice(from, from + commandsPerFlush).map(
      (userId): RankingRequest => ({
        kind: 'put',
        commandId: `limit ${turn} ${userId}`,
        userId,
        restaurantId,
        dishId,
        ratingHundredths: ratingOf(turn),
      }),
    )
    flushes.push(await prebuildFlush(world.pools.rankingApi, requests, encoding))
  }
  return flushes
}

async function seed(world: World): Promise<void> {
  const { rankingApi } = world.pools
  await rankingApi.query(
    inlineStatement(
      'seed-users',
      'insert into users (user_id, username) select id, left(id::text, 50) from unnest($1::uuid[]) as id',
    ),
    [arrayOf.uuid(userIds)],
  )
  const statements: [string, readonly string[]][] = [
    ["insert into restaurants (restaurant_id, name, city) values ($1, 'Taco Stand', 'San Diego')", [restaurantId]],
    ["insert into dishes (dish_id, name, dish_type) values ($1, 'California', 'burrito')", [dishId]],
    ['insert into menu_items (restaurant_id, dish_id) values ($1, $2)', [restaurantId, dishId]],
  ]
  for (const [index, [text, values]] of statements.entries()) {
    await rankingApi.query(inlineStatement(`seed-${index}`, text), values)
  }
}

const analyse = inlineStatement('settle-accept', 'analyze events, user_rankings, aggregates, command_results')
const settle = (world: World) => world.pools.rankingApi.query(analyse)

function startServer(world: World, form: string, jwks: string): Promise<Server> {
  const entry = fileURLToPath(new URL('./accept-server.ts', import.meta.url))
  const args = ['--conditions=source', entry, form, world.database.urlOf('ranking_api'), world.registryUrl, jwks]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the ${form} server ended with ${code}`)))
    child.stdout.on('data', (data: Buffer) => {
      const port = /port (\d+)/.exec(data.toString())?.[1]
      if (port !== undefined) resolve({ port: Number(port), child })
    })
  })
}

function stopServer({ child }: Server): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
