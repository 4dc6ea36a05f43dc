import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import {
  type Catalogue,
  type CounterDefinition,
  catalogue,
  type GaugeDefinition,
  type HistogramDefinition,
} from './metrics-catalogue.ts'

export type { Counter, Gauge, Histogram } from 'prom-client'

type InstrumentOf<Definition> =
  Definition extends CounterDefinition<infer Label>
    ? Counter<Label>
    : Definition extends GaugeDefinition<infer Label>
      ? Gauge<Label>
      : Definition extends HistogramDefinition<infer Label>
        ? Histogram<Label>
        : never

/** One instrument for each entry of the catalogue. On hot paths keep `instrument.labels(…)` instead of asking each time. */
export type Instruments = { readonly [Name in keyof Catalogue]: InstrumentOf<Catalogue[Name]> }

/** The metrics of one process. */
export interface Metrics extends Instruments {
  /** `text/plain; version=0.0.4` of `exposition`. */
  readonly contentType: string
  /** Calls `refresh` before every scrape: the place for gauges that are read rather than counted. Returns how to stop it. */
  beforeScrape(refresh: () => void | Promise<void>): () => void
  /** All metrics in Prometheus' text format. A `refresh` that fails leaves its gauge as it was. */
  exposition(): Promise<string>
}

/** Longest time a scrape waits for one `refresh`; Prometheus gives up after 10 s by default. */
const refreshTimeoutMs = 1_000

/** Creates the instruments of the catalogue in a registry of their own, each with the label `service`. */
export function createMetrics(service: string, options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry })
  const instruments = Object.fromEntries(
    Object.entries(catalogue).map(([key, definition]) => [key, instrument(definition, registry)]),
  ) as unknown as Instruments

  const refreshes = new Set<() => void | Promise<void>>()
  return {
    ...instruments,
    contentType: registry.contentType,
    beforeScrape(refresh) {
      refreshes.add(refresh)
      return () => refreshes.delete(refresh)
    },
    async exposition() {
      await Promise.all([...refreshes].map(bounded))
      return registry.metrics()
    },
  }
}

function instrument(
  definition: CounterDefinition | GaugeDefinition | HistogramDefinition,
  registry: Registry,
): Counter | Gauge | Histogram {
  const configuration = {
    name: definition.name,
    help: definition.help,
    labelNames: [...definition.labels],
    registers: [registry],
  }
  switch (definition.type) {
    case 'counter':
      return new Counter(configuration)
    case 'gauge':
      return new Gauge(configuration)
    case 'histogram':
      return new Histogram({ ...configuration, buckets: [...definition.buckets] })
  }
}

async function bounded(refresh: () => void | Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<void>()
  const timer = setTimeout(timeout.resolve, refreshTimeoutMs)
  try {
    await Promise.race([refresh(), timeout.promise])
  } catch {
    // A gauge that cannot be read now keeps its last value; the other metrics matter most at such a time.
  } finally {
    clearTimeout(timer)
  }
}
