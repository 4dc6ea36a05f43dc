/**
 * `relay`: rows that wait in the event store to acknowledged records.
 * Limit: the producer alone, with the same records prebuilt, in batches of the same size. Naive: read one row, send it,
 * move the cursor. Besides, the delay from commit to the topic at 500 commits a second.
 */
import { createRelay } from '@bellyfed/event-store'
import { inlineStatement } from '@bellyfed/postgres'
import type { RecordToSend } from '@bellyfed/stream'
import { type Bar, quantile } from './bar.ts'
import { pacedDelays, paceOf } from './paced.ts'
import { append, freshEvent, placedEvent } from './stored-events.ts'
import { createWorld, type World } from './world.ts'

const batchSize = 1_000
const naiveCount = 300

export const relayBar: Bar = {
  name: 'relay',
  unit: 'records/s',
  floor: { ratioToLimit: 0.6 },
  async prepare(context) {
    const world = await createWorld(context)
    const recordCount = context.quick ? 5_000 : 40_000
    const events = Array.from({ length: recordCount }, (_, index) => freshEvent(index))
    const records = events.map((event, index) => world.events.record(event, { position: BigInt(index + 1) }))
    const producer = await world.kafka.producer()
    const delaysMs: number[] = []

    return {
      ours: () => relayed(world, recordCount),
      limit: async () => {
        const startedAtMs = performance.now()
        for (let from = 0; from < records.length; from += batchSize) {
          await producer.send([{ topic: world.topic, records: records.slice(from, from + batchSize) }])
        }
        return (records.length * 1_000) / (performance.now() - startedAtMs)
      },
      naive: async (round) => {
        if (round >= 0) delaysMs.push(...(await pacedDelays(world, paceOf(context.quick, 1_500))).toTopicMs)
        return oneByOne(world)
      },
      details: () => ({
        'commit → topic p50, ms': quantile(delaysMs, 0.5),
        'commit → topic p99, ms': quantile(delaysMs, 0.99),
      }),
      close: world.close,
    }
  },
}

async function fillStore(world: World, count: number): Promise<void> {
  for (let from = 0; from < count; from += batchSize) {
    await append(
      world,
      Array.from({ length: Math.min(batchSize, count - from) }, (_, index) => placedEvent(world, freshEvent(index))),
    )
  }
}

const highest = inlineStatement('highest', 'select max(xid) as xid, max(position) as position from events')
const analyse = inlineStatement('analyse', 'analyze events')

/** From the moment the relay leads until its cursor has passed the last row. */
async function relayed(world: World, count: number): Promise<number> {
  await fillStore(world, count)
  await world.pools.rankingApi.query(analyse)
  const { rows } = await world.pools.rankingApi.query<{ position: bigint }>(highest)
  const last = rows[0]?.position ?? 0n
  const relay = createRelay({
    pool: world.pools.rankingApi,
    producer: world.kafka.log.producer(),
    source: 'ranking-api',
    topicPrefix: world.kafka.prefix,
    registrySchemaId: (id) => Promise.resolve(id),
    log: world.log,
    metrics: world.metrics,
    batchSizeMax: batchSize,
  })
  await relay.start()
  while (relay.state !== 'leading') await nextTurn()
  const startedAtMs = performance.now()
  while ((relay.cursor?.position ?? 0n) < last) await nextTurn()
  const seconds = (performance.now() - startedAtMs) / 1_000
  await relay.stop()
  return count / seconds
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 1))

const nextRow = inlineStatement(
  'next-row',
  `select event_id, key, payload, xid::text, position from events
   where (xid, position) > ($1::xid8, $2::bigint) order by events.xid, events.position limit 1`,
)
const moveCursor = inlineStatement(
  'move-naive-cursor',
  `insert into relay_cursors (source, xid, position, updated_at) values ('naive', $1::xid8, $2, now())
   on conflict (source) do update set xid = excluded.xid, position = excluded.position`,
)

async function oneByOne(world: World): Promise<number> {
  const pool = world.pools.rankingApi
  const producer = await world.kafka.producer()
  let xid = '0'
  let position = 0n
  const startedAtMs = performance.now()
  for (let sent = 0; sent < naiveCount; sent += 1) {
    const { rows } = await pool.query<{
      event_id: string
      key: string
      payload: Buffer
      xid: string
      position: bigint
    }>(nextRow, [xid, position])
    const row = rows[0]
    if (row === undefined) throw new Error('the event store holds too few rows')
    const record: RecordToSend = {
      key: row.key,
      value: row.payload,
      headers: { 'event-id': row.event_id },
      timestampMs: 0,
    }
    await producer.send([{ topic: world.topic, records: [record] }])
    xid = row.xid
    position = row.position
    await pool.query(moveCursor, [xid, position])
  }
  return (naiveCount * 1_000) / (performance.now() - startedAtMs)
}
