/**
 * `visible`: from COMMIT to the row that can be read, at a steady 500 events a second, as the median in milliseconds.
 * Limit: the sum of the medians of the two stages measured apart in the same round: commit → topic, topic → row. Naive:
 * a relay that nobody wakes.
 */
import { type Bar, quantile } from './bar.ts'
import { pacedDelays, pacedProjectionMs, paceOf } from './paced.ts'
import { createWorld } from './world.ts'

export const visibleBar: Bar = {
  name: 'visible',
  unit: 'ms',
  isLowerBetter: true,
  floor: { ratioToLimit: 1 / 1.5 },
  async prepare(context) {
    const world = await createWorld(context)
    const pace = paceOf(context.quick, 2_000)
    const wholeMs: number[] = []
    return {
      ours: async (round) => {
        const { toRowMs } = await pacedDelays(world, pace, { isConsumed: true })
        if (round >= 0) wholeMs.push(...toRowMs)
        return quantile(toRowMs, 0.5)
      },
      limit: async () => {
        const { toTopicMs } = await pacedDelays(world, pace)
        return quantile(toTopicMs, 0.5) + quantile(await pacedProjectionMs(world, pace), 0.5)
      },
      naive: async () => {
        const { toRowMs } = await pacedDelays(world, pace, { isConsumed: true, isWoken: false })
        return quantile(toRowMs, 0.5)
      },
      details: () => ({ 'p50, ms': quantile(wholeMs, 0.5), 'p99, ms': quantile(wholeMs, 0.99) }),
      close: world.close,
    }
  },
}
