import { acceptBar } from './accept.bench.ts'
import type { Bar } from './bar.ts'
import { decodeBar } from './decode.bench.ts'
import { projectionBar } from './projection.bench.ts'
import { relayBar } from './relay.bench.ts'
import { visibleBar } from './visible.bench.ts'

/** Every bar, in the order in which an event meets them. */
export const bars: readonly Bar[] = [decodeBar, acceptBar, relayBar, projectionBar, visibleBar]
