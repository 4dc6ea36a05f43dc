import type { Metrics } from '@bellyfed/process'
import type { Chunk } from './chunk.ts'
import type { LoopObserver, PartitionLoop } from './partition-loop.ts'
import type { TopicPartition } from './ports.ts'
import { MinuteWindow, type StreamMetrics } from './stream-metrics.ts'

/** Counts for Prometheus and for StreamMetrics. */
export class Statistics implements LoopObserver {
  readonly #metrics: Metrics
  readonly #windows = new Map<string, MinuteWindow>()
  /** Gauges that were set, so that those of partitions that left can be taken away. */
  readonly #gauged = new Map<string, TopicPartition>()

  constructor(metrics: Metrics, topics: readonly string[]) {
    this.#metrics = metrics
    for (const topic of topics) this.#windows.set(topic, new MinuteWindow())
  }

  decoded({ topic }: TopicPartition, durationMs: number): void {
    this.#metrics.batchStageSeconds.observe({ topic, stage: 'decode' }, durationMs / 1_000)
  }

  written({ topic }: TopicPartition, chunk: Chunk, durationMs: number): void {
    const { events, dead, duplicateCount, recordCount, firstTimestampMs, lastTimestampMs } = chunk
    const metrics = this.#metrics
    if (events.length > 0) metrics.eventsTotal.inc({ topic, outcome: 'applied' }, events.length)
    if (duplicateCount > 0) metrics.eventsTotal.inc({ topic, outcome: 'duplicate' }, duplicateCount)
    if (dead.length > 0) metrics.eventsTotal.inc({ topic, outcome: 'dead' }, dead.length)
    for (const { failure } of dead) metrics.deadLettersTotal.inc({ topic, code: failure.code })
    metrics.batchDurationSeconds.observe({ topic }, durationMs / 1_000)
    metrics.batchStageSeconds.observe({ topic, stage: 'apply' }, durationMs / 1_000)
    metrics.batchSizeRecords.observe({ topic }, recordCount)
    const now = Date.now()
    const delayMsMax = firstTimestampMs === undefined ? 0 : Math.max(0, now - firstTimestampMs)
    const delayMsMin = lastTimestampMs === undefined ? 0 : Math.max(0, now - lastTimestampMs)
    metrics.eventDelaySeconds.observe({ topic }, delayMsMax / 1_000)
    const latencyMsMean = (delayMsMax + delayMsMin) / 2
    this.#windows.get(topic)?.addWritten(performance.now(), { records: recordCount, dead: dead.length, latencyMsMean })
  }

  retried({ topic }: TopicPartition): void {
    this.#metrics.consumerRetriesTotal.inc({ topic })
    this.#windows.get(topic)?.addFailure(performance.now())
  }

  stale({ topic }: TopicPartition): void {
    this.#metrics.consumerStalePositionsTotal.inc({ topic })
  }

  rebalanced(): void {
    this.#metrics.consumerRebalancesTotal.inc()
  }

  restarted(): void {
    this.#metrics.consumerRestartsTotal.inc()
  }

  /** Sets the gauges from the loops as they are now. */
  refreshGauges(loops: readonly PartitionLoop[]): void {
    const gone = new Map(this.#gauged)
    for (const loop of loops) {
      const { topic, partition } = loop.at
      const key = `${topic}/${partition}`
      gone.delete(key)
      this.#gauged.set(key, loop.at)
      this.#metrics.consumerLagRecords.set({ topic, partition }, lagOf(loop))
      this.#metrics.consumerLagSeconds.set({ topic, partition }, lagSecondsOf(loop))
    }
    for (const [key, { topic, partition }] of gone) {
      this.#gauged.delete(key)
      this.#metrics.consumerLagRecords.remove({ topic, partition })
      this.#metrics.consumerLagSeconds.remove({ topic, partition })
    }
    for (const topic of this.#windows.keys()) {
      const own = loops.filter((loop) => loop.at.topic === topic)
      const paused = own.filter((loop) => loop.state === 'paused')
      this.#metrics.consumerAssignedPartitions.set({ topic }, own.length)
      this.#metrics.consumerPausedPartitions.set({ topic }, paused.length)
    }
  }

  streamMetrics(group: string, loops: readonly PartitionLoop[]): StreamMetrics[] {
    const nowMs = performance.now()
    return [...this.#windows].map(([stream, window]) => {
      const own = loops.filter((loop) => loop.at.topic === stream)
      return {
        stream,
        group,
        ...window.summary(nowMs),
        partitionCount: own.length,
        consumerLag: own.reduce((sum, loop) => sum + lagOf(loop), 0),
        consumerLagSeconds: Math.max(0, ...own.map(lagSecondsOf)),
        stopped: own.flatMap(({ at, fault }) =>
          fault === undefined ? [] : [{ partition: at.partition, reason: fault.message }],
        ),
      }
    })
  }
}

function lagOf({ position, endOffset }: PartitionLoop): number {
  if (position === undefined || endOffset === undefined || endOffset <= position) return 0
  return Number(endOffset - position)
}

function lagSecondsOf(loop: PartitionLoop): number {
  if (lagOf(loop) === 0 || loop.oldestTimestampMs === undefined) return 0
  return Math.max(0, Date.now() - loop.oldestTimestampMs) / 1_000
}
