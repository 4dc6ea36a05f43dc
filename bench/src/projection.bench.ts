/**
 * `projection`: the history consumer over a topic that holds everything already, from the log's start to its end.
 * Limit: the same statements in the same transactions with all rows prebuilt in memory: chunks of the sizes that the
 * consumer used, as many transactions at once, the partition's lock, its position and its mark included. Naive: one upsert
 * and one transaction a message.
 */
import { historyProjection, insertHistory, insertParameters } from '@bellyfed/history'
import { inlineStatement } from '@bellyfed/postgres'
import type { DecodedEvent } from '@bellyfed/schemas'
import { createConsumer, partitionOf, type RecordToSend } from '@bellyfed/stream'
import { PositionStore } from '@bellyfed/stream/position-store'
import type { Bar, PreparedBar } from './bar.ts'
import { sampleEvent } from './sample-events.ts'
import { createWorld, type World } from './world.ts'

const partitionCount = 12
const userCount = 5_000
const transactionsMax = 3
const naiveCount = 1_000

export const projectionBar: Bar = {
  name: 'projection',
  unit: 'records/s',
  floor: { ratioToLimit: 0.75, ratioToNaive: 30 },
  async prepare(context) {
    const world = await createWorld(context, partitionCount)
    const recordCount = context.quick ? 20_000 : 100_000
    const events = Array.from({ length: recordCount }, (_, index) => sampleEvent(index, userCount))
    await fill(world, events)
    return bars(world, events)
  },
}

async function fill(world: World, events: readonly DecodedEvent[]): Promise<void> {
  for (let from = 0; from < events.length; from += 2_000) {
    const records = events
      .slice(from, from + 2_000)
      .map((event, index): RecordToSend => world.events.record(event, { position: BigInt(from + index + 1) }))
    await world.kafka.append('dish-rankings', records)
  }
}

function bars(world: World, events: readonly DecodedEvent[]): PreparedBar {
  const { pools, topic } = world
  const clear = inlineStatement('clear', 'truncate ranking_history, consumer_positions, source_marks')
  const settle = inlineStatement('settle', 'checkpoint')
  const reset = async () => {
    await pools.owner.query(clear)
    await pools.owner.query(settle)
  }
  const byPartition = new Map<number, DecodedEvent[]>()
  for (const event of events) {
    const partition = partitionOf(event.event.userId, partitionCount)
    const of = byPartition.get(partition) ?? []
    byPartition.set(partition, of)
    of.push(event)
  }
  let chunkSizes: number[] = []
  let runs = 0

  return {
    async ours() {
      await reset()
      runs += 1
      chunkSizes = []
      let startedAtMs = 0
      const consumer = createConsumer({
        kafka: world.kafka.log,
        group: `${world.kafka.prefix}projection-${runs}`,
        topics: [topic],
        pool: pools.history,
        codec: world.events.codec,
        log: world.log,
        metrics: world.metrics,
        transactionsMax,
        projection: {
          name: 'history',
          apply: (tx, received) => {
            // From the first rows on: joining the group is not what is measured.
            if (chunkSizes.length === 0) startedAtMs = performance.now()
            chunkSizes.push(received.length)
            return historyProjection.apply(tx, received)
          },
        },
      })
      await consumer.start()
      await consumer.whenCaughtUp({ timeoutMs: 120_000 })
      const seconds = (performance.now() - startedAtMs) / 1_000
      await consumer.stop()
      return events.length / seconds
    },
    async limit() {
      await reset()
      return limitRate(world, byPartition, chunkSizes.length === 0 ? 2_000 : Math.max(...chunkSizes))
    },
    async naive() {
      await reset()
      const startedAtMs = performance.now()
      for (const event of events.slice(0, naiveCount)) {
        await pools.ordinary.query(insertHistory, insertParameters([event]))
      }
      return (naiveCount * 1_000) / (performance.now() - startedAtMs)
    },
    details: () => ({
      chunks: chunkSizes.length,
      'records in the largest chunk': Math.max(...chunkSizes),
    }),
    close: world.close,
  }
}

/** Prebuilds everything, then runs the transactions of all partitions, `transactionsMax` at once. */
async function limitRate(world: World, byPartition: Map<number, DecodedEvent[]>, chunkSize: number): Promise<number> {
  const { pools, topic } = world
  const store = new PositionStore(pools.history, 'limit')
  const identity = { clusterId: 'bench', topicId: 'bench' }
  const lanes = [...byPartition].map(([partition, events]) => {
    const chunks = []
    for (let from = 0; from < events.length; from += chunkSize) {
      const part = events.slice(from, from + chunkSize)
      chunks.push({
        from: BigInt(from),
        to: BigInt(from + part.length),
        rows: part.length,
        parameters: insertParameters(part),
      })
    }
    return { partition, chunks }
  })
  for (const { partition } of lanes) await store.create({ topic, partition }, 0n, identity)

  let rows = 0
  const startedAtMs = performance.now()
  const runLane = async ({ partition, chunks }: (typeof lanes)[number]) => {
    for (const { from, to, rows: count, parameters } of chunks) {
      const mark = { source: 'ranking-api', epoch: 1n, xid: to, position: to }
      const chunk = { events: [undefined], dead: [], marks: [mark], nextOffset: to } as never
      await store.write({ topic, partition }, { nextOffset: from, ...identity }, chunk, {
        name: 'limit',
        apply: async (tx) => void (await tx.query(insertHistory, parameters)),
      })
      rows += count
    }
  }
  const waiting = [...lanes]
  const worker = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) await runLane(lane)
  }
  await Promise.all(Array.from({ length: transactionsMax }, worker))
  return (rows * 1_000) / (performance.now() - startedAtMs)
}
