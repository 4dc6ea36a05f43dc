import { inlineStatement, type Pool } from '@bellyfed/postgres'
import type { Codec } from '@bellyfed/schemas'
import { expectNoGaps, testPlatform } from '@bellyfed/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { rankingApiMigrations, schema } from '../migrations.ts'
import { commandPoolConfig } from './ranking-commands.ts'
import type { Applied, CommandOutcome, Refused } from './requests.ts'
import {
  createServer,
  createWorldCodec,
  dishId,
  put,
  remove,
  restaurantId,
  seedWorld,
  storedUser,
  userId,
} from './testing/ranking-world.ts'

const platform = testPlatform()
let pool: Pool
let owner: Pool
let codec: Codec
let server: ReturnType<typeof createServer>
let userCount = 0

beforeAll(async () => {
  const database = await platform.database([{ schema, migrations: rankingApiMigrations }])
  pool = await database.pool(schema, commandPoolConfig)
  owner = await database.ownerPool(schema)
  codec = await createWorldCodec()
  await seedWorld(pool, { users: 100, restaurants: 3, dishes: 60 })
  server = createServer(pool, codec)
})

/** A user that no other test uses. */
function newUser(): number {
  userCount += 1
  return userCount
}

async function applied(outcome: Promise<CommandOutcome>): Promise<Applied> {
  const result = await outcome
  if (result.status === 'refused') throw new Error(`refused: ${JSON.stringify(result.refusal)}`)
  return result
}

async function refused(outcome: Promise<CommandOutcome>): Promise<Refused['refusal']> {
  const result = await outcome
  if (result.status !== 'refused') throw new Error(`was ${result.status}`)
  return result.refusal
}

describe('a command', () => {
  test('is answered with its ranking, its events and the position of the last one', async () => {
    const user = newUser()
    await applied(server.put(put({ user, dish: 1, ratingHundredths: 300 })))
    const answer = await applied(
      server.put(put({ user, dish: 2, ratingHundredths: 450, notes: 'rich', photoUrl: 'https://p/1' })),
    )
    expect(answer).toMatchObject({
      status: 'applied',
      created: true,
      ranking: { dishId: dishId(2), rank: 1, ratingHundredths: 450, notes: 'rich', sequence: 2 },
      listEtag: '"3-2"',
      events: [
        { type: 'DISH_RANKED', sequence: 2, cause: 'ranked', oldRank: null, newRank: 1 },
        { type: 'DISH_RANKING_UPDATED', sequence: 3, cause: 'shifted', oldRank: 1, newRank: 2 },
      ],
      receipt: { source: 'ranking-api', epoch: 1, key: userId(user) },
    })
    const stored = await storedUser(pool, codec, user)
    expect(stored.rows).toEqual(stored.replayed)
    expect(stored).toMatchObject({ version: 3, sequences: [1, 2, 3] })
    const positions = inlineStatement('positions', 'select xid, position from events where stream = $1 and version = 3')
    const { rows } = await pool.query<{ xid: bigint; position: bigint }>(positions, [userId(user)])
    expect(rows[0]).toEqual({ xid: answer.receipt.xid, position: answer.receipt.position })
  })

  test('leaves notes readable in its table and sealed in its event', async () => {
    const user = newUser()
    await applied(server.put(put({ user, notes: 'secret broth' })))
    const stored = await storedUser(pool, codec, user)
    expect(stored.rows[0]?.notes).toBe('secret broth')
    expect(stored.replayed[0]?.notes).toBe('secret broth')
    const payload = inlineStatement('payload', 'select payload from events where stream = $1')
    const { rows } = await pool.query<{ payload: Buffer }>(payload, [userId(user)])
    expect(rows[0]?.payload.includes('secret broth')).toBe(false)
  })

  test('that changes nothing emits nothing and names the position of the last event', async () => {
    const user = newUser()
    const first = await applied(server.put(put({ user, rank: 1 })))
    const second = await applied(server.put(put({ user, rank: 1 })))
    expect(second).toMatchObject({ status: 'unchanged', created: false, events: [], ranking: first.ranking })
    expect(second.receipt).toEqual(first.receipt)
    expect(await storedUser(pool, codec, user)).toMatchObject({ version: 1, sequences: [1] })
  })

  test('that withdraws takes the row away and moves the others up', async () => {
    const user = newUser()
    for (const dish of [1, 2, 3]) await applied(server.put(put({ user, dish })))
    const answer = await applied(server.remove(remove({ user, dish: 2 })))
    expect(answer).toMatchObject({ status: 'applied', created: false, ranking: null, listEtag: '"5-2"' })
    const stored = await storedUser(pool, codec, user)
    expect(stored.rows.map((row) => [row.dishId, row.rank])).toEqual([
      [dishId(1), 1],
      [dishId(3), 2],
    ])
    expect(stored.rows).toEqual(stored.replayed)
  })

  test('is refused for what does not exist, and nothing is written', async () => {
    const user = newUser()
    const offMenu = inlineStatement(
      'off-menu',
      `insert into dishes (dish_id, name, dish_type) values ($1, 'x', 'ramen')`,
    )
    await pool.query(offMenu, [dishId('off-menu')])
    expect(await refused(server.put(put({ user: 'nobody' })))).toMatchObject({ code: 'user-not-found' })
    expect(await refused(server.put(put({ user, restaurant: 'none' })))).toMatchObject({ code: 'restaurant-not-found' })
    expect(await refused(server.put(put({ user, dish: 'none' })))).toMatchObject({ code: 'dish-not-found' })
    expect(await refused(server.put(put({ user, dish: 'off-menu' })))).toMatchObject({ code: 'dish-not-on-menu' })
    expect(await refused(server.remove(remove({ user })))).toMatchObject({ code: 'ranking-not-found' })
    expect(await refused(server.put(put({ user, rank: 0 })))).toMatchObject({ code: 'invalid' })
    expect(await storedUser(pool, codec, user)).toMatchObject({ version: 0, sequences: [], rows: [], commandIds: [] })
  })

  test('with the ETag of a list that has changed is refused with the list as it stands', async () => {
    const user = newUser()
    const { listEtag } = await applied(server.put(put({ user, dish: 1 })))
    await applied(server.put(put({ user, dish: 2, ifMatch: [listEtag] })))
    const refusal = await refused(server.put(put({ user, dish: 3, ifMatch: [listEtag] })))
    expect(refusal).toMatchObject({ code: 'list-changed', listEtag: '"2-2"', list: [{ rank: 1 }, { rank: 2 }] })
  })
})

describe('a repeat', () => {
  test('is answered with the stored result, also after later changes', async () => {
    const user = newUser()
    const request = put({ user, dish: 1, ratingHundredths: 300, notes: 'n' })
    const first = await applied(server.put(request))
    await applied(server.put(put({ user, dish: 2, ratingHundredths: 400 })))
    expect(await server.put(request)).toEqual({ ...first, status: 'repeated' })
    expect((await storedUser(pool, codec, user)).version).toBe(3)
  })

  test('in parallel, on two servers, is carried out once', async () => {
    const user = newUser()
    const other = createServer(pool, codec)
    const request = put({ user, ratingHundredths: 300 })
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) => applied((index % 2 ? server : other).put(request))),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'applied')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome.status === 'repeated')).toHaveLength(39)
    expect(new Set(outcomes.map((outcome) => JSON.stringify([outcome.events, outcome.ranking]))).size).toBe(1)
    expect(await storedUser(pool, codec, user)).toMatchObject({ version: 1, commandIds: [request.commandId] })
  })

  test('with another request under the same id is refused, in one flush and later', async () => {
    const user = newUser()
    const request = put({ user, ratingHundredths: 300 })
    const [, refusal] = await Promise.all([
      applied(server.put(request)),
      refused(server.put({ ...request, ratingHundredths: 301 })),
    ])
    expect(refusal).toEqual({ code: 'idempotency-key-reused', commandId: request.commandId })
    expect(await refused(server.remove({ ...request }))).toMatchObject({ code: 'idempotency-key-reused' })
  })

  test('of a command that changed nothing is answered with the same', async () => {
    const user = newUser()
    await applied(server.put(put({ user, rank: 1 })))
    const request = put({ user, rank: 1 })
    const first = await applied(server.put(request))
    await applied(server.put(put({ user, dish: 2, rank: 1 })))
    expect(await server.put(request)).toEqual({ ...first, status: 'repeated' })
  })

  test('of a refused command is decided anew', async () => {
    const user = newUser()
    const request = remove({ user })
    expect(await refused(server.remove(request))).toMatchObject({ code: 'ranking-not-found' })
    await applied(server.put(put({ user })))
    expect(await applied(server.remove(request))).toMatchObject({ status: 'applied' })
  })

  test('of one command id belongs to one user', async () => {
    const [one, other] = [newUser(), newUser()]
    const commandId = 'the same for both'
    await applied(server.put(put({ user: one, commandId })))
    expect(await applied(server.put(put({ user: other, commandId, rank: 2 })))).toMatchObject({ status: 'applied' })
  })
})

describe('several commands of one user', () => {
  test('are folded into one commit, in order', async () => {
    const user = newUser()
    const requests = [
      put({ user, dish: 1, ratingHundredths: 300 }),
      put({ user, dish: 2, ratingHundredths: 400 }),
      remove({ user, dish: 1 }),
      put({ user, dish: 1, ratingHundredths: 500 }),
      put({ user, dish: 1, ratingHundredths: 500 }),
      remove({ user, dish: 7 }),
    ]
    const outcomes = await server.batch(requests)
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'applied',
      'applied',
      'applied',
      'applied',
      'unchanged',
      'refused',
    ])
    const stored = await storedUser(pool, codec, user)
    expect(stored.events.map((event) => `${event.cause} ${event.oldRank}→${event.newRank}`)).toEqual([
      'ranked null→1',
      'ranked null→1',
      'shifted 1→2',
      'withdrawn 2→null',
      'ranked null→1',
      'shifted 1→2',
    ])
    expect(stored.rows).toEqual(stored.replayed)
    const transactions = inlineStatement(
      'xids',
      'select count(distinct xid)::int as count from events where stream = $1',
    )
    expect((await pool.query<{ count: number }>(transactions, [userId(user)])).rows[0]?.count).toBe(1)
  })

  test('have the receipts of their own last events', async () => {
    const user = newUser()
    const outcomes = await server.batch([put({ user, dish: 1 }), put({ user, dish: 2 })])
    const positions = outcomes.map((outcome) => (outcome.status === 'applied' ? outcome.receipt.position : -1n))
    expect((positions[1] ?? 0n) - (positions[0] ?? 0n)).toBe(1n)
  })

  test('may be more than one flush holds', async () => {
    const user = newUser()
    const small = createServer(pool, codec, { commandsPerFlushMax: 7 })
    const outcomes = await small.batch(Array.from({ length: 50 }, (_, at) => put({ user, dish: at + 1, rank: 1 })))
    expect(outcomes.every((outcome) => outcome.status === 'applied')).toBe(true)
    const stored = await storedUser(pool, codec, user)
    expectNoGaps(stored.sequences)
    expect(stored.version).toBe(50 + (49 * 50) / 2)
    expect(stored.rows).toEqual(stored.replayed)
  })
})

describe('the database guards', () => {
  test('the type of a ranked dish', async () => {
    const user = newUser()
    await applied(server.put(put({ user, dish: 60 })))
    const retype = inlineStatement('retype', `update dishes set dish_type = 'udon' where dish_id = $1`)
    await expect(pool.query(retype, [dishId(60)])).rejects.toThrow('user_rankings_dish_fkey')
    await expect(pool.query(retype, [dishId(59)])).resolves.toBeDefined()
  })

  test('the menu item of a ranked dish', async () => {
    const user = newUser()
    await applied(server.put(put({ user, dish: 58 })))
    const takeOff = inlineStatement('take-off', 'delete from menu_items where restaurant_id = $1 and dish_id = $2')
    await expect(pool.query(takeOff, [restaurantId(1), dishId(58)])).rejects.toThrow('user_rankings_menu_item_fkey')
  })

  test('places: two dishes never share one', async () => {
    const user = newUser()
    await applied(server.put(put({ user, dish: 1 })))
    await applied(server.put(put({ user, dish: 2 })))
    const collide = inlineStatement('collide', 'update user_rankings set rank = 1 where user_id = $1')
    await expect(pool.query(collide, [userId(user)])).rejects.toThrow('user_rankings_place_key')
  })
})

describe('a poisonous command', () => {
  test('that a statement refuses fails alone', async () => {
    const users = Array.from({ length: 5 }, newUser)
    const [poisoned] = users
    await owner.query(
      inlineStatement('poison', 'alter table user_rankings add constraint poison check (rank <> 13) not valid'),
    )
    try {
      const outcomes = await server.batch([
        ...users.map((user) => put({ user, dish: 1 })),
        put({ user: poisoned ?? 0, dish: 2, rank: 13 }),
        put({ user: poisoned ?? 0, dish: 3 }),
      ])
      expect(outcomes.map((outcome) => outcome.status)).toEqual([...users.map(() => 'applied'), 'failed', 'applied'])
      for (const user of users) {
        const stored = await storedUser(pool, codec, user)
        expect(stored.rows).toEqual(stored.replayed)
        expectNoGaps(stored.sequences)
      }
    } finally {
      await owner.query(inlineStatement('cure', 'alter table user_rankings drop constraint poison'))
    }
  })

  test('that COMMIT refuses fails alone', async () => {
    const [poisoned, fine] = [newUser(), newUser()]
    await owner.query(
      inlineStatement(
        'late-poison',
        `create function refuse_thirteen() returns trigger language plpgsql as $$
         begin if new.rank = 13 then raise 'thirteen is refused at commit'; end if; return null; end $$`,
      ),
    )
    await owner.query(
      inlineStatement(
        'late-poison-trigger',
        `create constraint trigger late_poison after insert on user_rankings
         deferrable initially deferred for each row execute function refuse_thirteen()`,
      ),
    )
    try {
      const outcomes = await server.batch([put({ user: poisoned, rank: 13 }), put({ user: fine, rank: 1 })])
      expect(outcomes).toMatchObject([
        { status: 'failed', error: { message: 'thirteen is refused at commit' } },
        { status: 'applied' },
      ])
      expect(await storedUser(pool, codec, poisoned)).toMatchObject({ version: 0, sequences: [], commandIds: [] })
    } finally {
      await owner.query(inlineStatement('late-cure', 'drop trigger late_poison on user_rankings'))
    }
  })

  test('that cannot be encoded fails alone, and its user goes on', async () => {
    const user = newUser()
    const fussy: Pick<Codec, 'encode'> = {
      encode(type, value, schemaId) {
        if (value.commandId === 'poison') throw new TypeError('does not fit')
        return codec.encode(type, value, schemaId)
      },
    }
    const outcomes = await createServer(pool, fussy).batch([
      put({ user, dish: 1 }),
      put({ user, dish: 2, commandId: 'poison' }),
      put({ user, dish: 3 }),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['applied', 'failed', 'applied'])
    const stored = await storedUser(pool, codec, user)
    expect(stored.rows.map((row) => row.rank)).toEqual([1, 2])
  })
})
