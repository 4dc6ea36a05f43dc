/**
 * Delays at a steady rate, one event a commit, as a client meets them: how long after the commit a record
 * is in the topic, and how long after it the row of the read model can be read.
 *
 * Relay, consumer and clock share this process, so all times are of one clock. A record counts as in the topic when the
 * broker has acknowledged it; a row counts as readable when the transaction that wrote it has committed.
 */

import { createRelay, createRelayWaker } from '@bellyfed/event-store'
import { historyProjection } from '@bellyfed/history'
import type { Pool } from '@bellyfed/postgres'
import { createConsumer, type LogProducer, type TopicRecords } from '@bellyfed/stream'
import { append, freshEvent, placedEvent } from './stored-events.ts'
import type { World } from './world.ts'

const settleMsMax = 30_000

/** How many events, and how many of them a second. */
export interface Pace {
  readonly count: number
  readonly eventsPerSecond: number
}

/** 500 a second; a quick round asks little, so that it passes on a machine that does other work. */
export const paceOf = (isQuick: boolean, count: number): Pace =>
  isQuick ? { count: 100, eventsPerSecond: 50 } : { count, eventsPerSecond: 500 }

/** Milliseconds, one figure an event. */
export interface Delays {
  /** Commit → acknowledged by the broker. */
  readonly toTopicMs: number[]
  /** Commit → row readable; empty unless a consumer ran. */
  readonly toRowMs: number[]
}

/** When each event reached a stage, by event id. */
type Moments = Map<string, number>

let runs = 0

function startRelay(world: World, acknowledged: Moments, isWoken: boolean) {
  const inner = world.kafka.log.producer()
  const producer: LogProducer = {
    connect: () => inner.connect(),
    disconnect: () => inner.disconnect(),
    async send(batches: readonly TopicRecords[]) {
      await inner.send(batches)
      const atMs = performance.now()
      for (const { records } of batches) {
        for (const { headers } of records) acknowledged.set(headers['event-id'] ?? '', atMs)
      }
    },
  }
  const pool = world.pools.rankingApi
  const relay = createRelay({
    pool,
    producer,
    source: 'ranking-api',
    topicPrefix: world.kafka.prefix,
    registrySchemaId: (id) => Promise.resolve(id),
    log: world.log,
    metrics: world.metrics,
  })
  const waker = createRelayWaker({ pool, log: world.log })
  return {
    start: async () => {
      await relay.start()
      await waker.start()
    },
    wake: () => {
      if (isWoken) waker.wake()
    },
    stop: async () => {
      await waker.stop()
      await relay.stop()
    },
  }
}

/** The consumer of history, which notes when each event's transaction has committed. */
function startConsumer(world: World, readable: Moments) {
  runs += 1
  const { history } = world.pools
  const pool: Pool = {
    name: history.name,
    schema: history.schema,
    config: history.config,
    start: () => history.start(),
    stop: () => history.stop(),
    check: () => history.check(),
    session: () => history.session(),
    counts: () => history.counts(),
    query: (statement, values) => history.query(statement, values),
    queryBinary: (statement, values) => history.queryBinary(statement, values),
    async transaction(work, options) {
      const written: string[] = []
      const result = await history.transaction((tx) => work(Object.assign(tx, { written })), options)
      const atMs = performance.now()
      for (const id of written) readable.set(id, atMs)
      return result
    },
  }
  return createConsumer({
    kafka: world.kafka.log,
    group: `${world.kafka.prefix}paced-${runs}`,
    topics: [world.topic],
    pool,
    codec: world.events.codec,
    log: world.log,
    metrics: world.metrics,
    projection: {
      name: 'history',
      apply: (tx, events) => {
        const { written } = tx as unknown as { written: string[] }
        for (const { decoded } of events) written.push(decoded.event.eventId)
        return historyProjection.apply(tx, events)
      },
    },
  })
}

/** Calls `act` at a steady rate, whatever its answers take; resolves when all have answered. */
async function pace(count: number, eventsPerSecond: number, act: (index: number) => Promise<void>): Promise<void> {
  const startedAtMs = performance.now()
  const acts: Promise<void>[] = []
  while (acts.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAtMs) * eventsPerSecond) / 1_000) + 1)
    while (acts.length < due) acts.push(act(acts.length))
    await nextTurn()
  }
  await Promise.all(acts)
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 1))

async function allSeen(seen: Moments, ids: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + settleMsMax
  while (ids.some((id) => !seen.has(id))) {
    if (performance.now() > deadlineMs) throw new Error(`only ${seen.size} of ${ids.length} events arrived in time`)
    await nextTurn()
  }
}

const delays = (from: Moments, to: Moments, ids: readonly string[]) =>
  ids.map((id) => (to.get(id) ?? Number.NaN) - (from.get(id) ?? Number.NaN))

/** The whole way, or with `isConsumed: false` its first stage; `isWoken: false` leaves the relay to its polling. */
export async function pacedDelays(
  world: World,
  { count, eventsPerSecond }: Pace,
  { isConsumed = false, isWoken = true } = {},
): Promise<Delays> {
  const committed: Moments = new Map()
  const acknowledged: Moments = new Map()
  const readable: Moments = new Map()
  const relay = startRelay(world, acknowledged, isWoken)
  const consumer = isConsumed ? startConsumer(world, readable) : undefined
  await relay.start()
  await consumer?.start()
  await consumer?.whenCaughtUp({ timeoutMs: settleMsMax })
  const rows = Array.from({ length: count }, (_, index) => placedEvent(world, freshEvent(index)))
  const ids = rows.map(({ eventId }) => eventId)
  await pace(count, eventsPerSecond, async (index) => {
    const row = rows[index]
    if (row === undefined) return
    await append(world, [row])
    committed.set(row.eventId, performance.now())
    relay.wake()
  })
  await allSeen(acknowledged, ids)
  if (consumer !== undefined) await allSeen(readable, ids)
  await consumer?.stop()
  await relay.stop()
  return {
    toTopicMs: delays(committed, acknowledged, ids),
    toRowMs: consumer === undefined ? [] : delays(committed, readable, ids),
  }
}

/** The second stage alone: records appended directly, until their rows are readable. */
export async function pacedProjectionMs(world: World, { count, eventsPerSecond }: Pace): Promise<number[]> {
  const appended: Moments = new Map()
  const readable: Moments = new Map()
  const consumer = startConsumer(world, readable)
  await consumer.start()
  await consumer.whenCaughtUp({ timeoutMs: settleMsMax })
  const events = Array.from({ length: count }, (_, index) => freshEvent(index))
  const ids = events.map(({ event }) => event.eventId as string)
  runs += 1
  // A source of their own: the marks of earlier runs must not swallow them.
  const source = `paced-${runs}`
  await pace(count, eventsPerSecond, async (index) => {
    const event = events[index]
    if (event === undefined) return
    await world.kafka.append('dish-rankings', [world.events.record(event, { position: BigInt(index + 1), source })])
    appended.set(event.event.eventId, performance.now())
  })
  await allSeen(readable, ids)
  await consumer.stop()
  return delays(appended, readable, ids)
}
