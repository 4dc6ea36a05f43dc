import { createSigningKey, encodeReceipt, signToken } from '@bellyfed/http'
import { deployService } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'
import { decoded, eventually, expectNoGaps, freePort, idOf, spawnProcess, testPlatform } from '@bellyfed/testkit'
import { describe, expect, test } from 'vitest'
import { historyMigrations, schema } from './migrations.ts'

/** The whole service as its own process: records on the topic in, answers over HTTP out. */
const platform = testPlatform()
const database = await platform.database([])
const kafka = await platform.kafka({ topics: ['dish-rankings'] })
const events = await platform.events()
const { privateJwk, publicJwks } = await createSigningKey('test')
const claims = { issuer: 'test', audience: 'test', expiresInSeconds: 600 }
const serviceToken = await signToken(privateJwk, { sub: 'reader', role: 'service', ...claims })
const [httpPort, operationsPort] = [await freePort(), await freePort()]
const serviceUrl = database.urlOf(schema)
await deployService({ ownerUrl: database.ownerUrl, serviceUrl, schema, migrations: historyMigrations })

function startService() {
  return spawnProcess({
    name: 'history',
    entry: 'services/history/src/main.ts',
    env: {
      POSTGRES_URL: serviceUrl,
      KAFKA_BROKERS: kafka.brokers.join(','),
      TOPIC_PREFIX: kafka.prefix,
      SCHEMA_REGISTRY_URL: events.registryUrl,
      // A killed member is missed after a second and a half instead of half a minute.
      CONSUMER_SESSION_TIMEOUT_MS: '1500',
      HTTP_PORT: String(httpPort),
      OPERATIONS_PORT: String(operationsPort),
      JWT_JWKS: JSON.stringify(publicJwks),
      JWT_ISSUER: claims.issuer,
      JWT_AUDIENCE: claims.audience,
    },
  })
}

const readyUrl = `http://127.0.0.1:${operationsPort}/ready`
const read = (path: string) =>
  fetch(`http://127.0.0.1:${httpPort}${path}`, { headers: { authorization: `Bearer ${serviceToken}` } })

interface Page {
  changes: { version: number }[]
  nextCursor: string | null
}

let position = 0n
async function publish(batch: readonly DecodedEvent[]): Promise<void> {
  await kafka.append(
    'dish-rankings',
    batch.map((event) => events.record(event, { position: ++position })),
  )
}

const receiptOf = (user: string) =>
  encodeReceipt({ source: 'ranking-api', epoch: 1, xid: position, position, key: idOf('user', user) })

describe('the history service', () => {
  test('shows what was published to a read that waits for it, and says how its stream is doing', async () => {
    const service = startService()
    await service.untilReady(readyUrl)
    await publish([decoded.ranked({ newRatingHundredths: 425 }), decoded.updated({ newRank: 2 })])
    const path = `/v1/users/${idOf('user', 'alice')}/history?after=${receiptOf('alice')}`
    const page = await eventually(
      async () => {
        const response = await read(path)
        return response.status === 200 && ((await response.json()) as { changes: object[] })
      },
      { what: 'the read includes the receipt' },
    )
    expect(page.changes).toMatchObject([
      { version: 2, newRank: 2 },
      { version: 1, newRank: 1, newRating: 4.25 },
    ])
    const streams = await (await fetch(`http://127.0.0.1:${operationsPort}/streams`)).json()
    expect(streams).toMatchObject([{ stream: kafka.topic('dish-rankings'), group: kafka.group('history') }])
    expect(await service.stop()).toEqual({ code: 0, signal: null })
  })

  test('killed amid a stream of events, and again, it has every change once and in order', async () => {
    const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']
    const eventsPerUser = 500
    const publishTo = async (from: number, to: number) => {
      for (let sequence = from; sequence <= to; sequence += 10) {
        const tens = Array.from({ length: 10 }, (_, index) => sequence + index)
        await publish(users.flatMap((user) => tens.map((number) => decoded.updated({ user, sequence: number }))))
      }
    }
    const versionsOf = async (user: string, pagesMax = Number.POSITIVE_INFINITY) => {
      const versions: number[] = []
      let cursor: string | null = ''
      for (let page = 0; page < pagesMax && cursor !== null; page++) {
        const response = await read(`/v1/users/${idOf('user', user)}/history?limit=200${cursor && `&cursor=${cursor}`}`)
        const { changes, nextCursor } = (await response.json()) as Page
        versions.push(...changes.map((change) => change.version))
        cursor = nextCursor
      }
      return versions.reverse()
    }
    for (const half of [0, 1]) {
      const service = startService()
      await service.untilReady(readyUrl)
      const publishing = publishTo(half * 250 + 1, half * 250 + 250)
      const hasBegun = async () => ((await versionsOf('u1', 1)).at(-1) ?? 0) > half * 250
      await eventually(hasBegun, { what: 'something of this half is consumed' })
      await service.kill()
      await publishing
    }
    const service = startService()
    await service.untilReady(readyUrl)
    for (const user of users) {
      await eventually(async () => (await versionsOf(user)).length === eventsPerUser, {
        what: `all of ${user} is there`,
      })
      expectNoGaps(await versionsOf(user))
    }
    await service.stop()
  }, 120_000)

  test('refuses a database that the deploy step has not brought to this version', async () => {
    const other = await platform.database([{ schema, migrations: [] }])
    const service = spawnProcess({
      name: 'history',
      entry: 'services/history/src/main.ts',
      env: {
        POSTGRES_URL: other.urlOf(schema),
        KAFKA_BROKERS: kafka.brokers.join(','),
        SCHEMA_REGISTRY_URL: events.registryUrl,
        HTTP_PORT: '0',
        OPERATIONS_PORT: '0',
        JWT_JWKS: JSON.stringify(publicJwks),
        JWT_ISSUER: 'test',
        JWT_AUDIENCE: 'test',
      },
    })
    expect(await service.exited).toMatchObject({ code: 1 })
    expect(service.output()).toContain('history/0001-create-ranking-history')
  })
})
