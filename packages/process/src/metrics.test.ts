import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'
import { catalogue } from './metrics-catalogue.ts'

const metrics = () => createMetrics('history', { processMetrics: false })

test('each entry of the catalogue is one instrument, exposed with its meaning and the service', async () => {
  const ours = metrics()
  ours.eventsTotal.inc({ topic: 'dish-rankings', outcome: 'applied' }, 3)
  const exposition = await ours.exposition()
  expect(exposition).toContain('events_total{topic="dish-rankings",outcome="applied",service="history"} 3')
  for (const { name, help, type } of Object.values(catalogue)) {
    expect(exposition).toContain(`# HELP ${name} ${help}`)
    expect(exposition).toContain(`# TYPE ${name} ${type}`)
  }
})

test('every entry says what it means that it moves, and names are unique and carry their unit', () => {
  const definitions = Object.values(catalogue)
  expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length)
  for (const { name, help, type } of definitions) {
    expect(help).toMatch(/rise|rising|fall|zero|one /i)
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
  }
})

test('no label can take values without bound', () => {
  const labels = new Set(Object.values(catalogue).flatMap((definition) => definition.labels as readonly string[]))
  for (const unbounded of [
    'user',
    'user_id',
    'dish',
    'restaurant',
    'key',
    'path',
    'url',
    'address',
    'error',
    'message',
  ]) {
    expect(labels).not.toContain(unbounded)
  }
})

test('two sets of metrics in one process do not mix', async () => {
  const [one, two] = [metrics(), metrics()]
  one.commandsWaiting.set(7)
  expect(await one.exposition()).toContain('commands_waiting{service="history"} 7')
  expect(await two.exposition()).toContain('commands_waiting{service="history"} 0')
})

test('gauges are read before a scrape, and one that fails or hangs keeps neither the others nor the scrape', async () => {
  const ours = metrics()
  ours.beforeScrape(() => Promise.reject(new Error('away')))
  ours.beforeScrape(() => {
    throw new Error('broken')
  })
  ours.beforeScrape(() => new Promise(() => {}))
  const stop = ours.beforeScrape(() => ours.poolInUseConnections.set({ pool: 'history' }, 4))
  expect(await ours.exposition()).toContain('pool_in_use_connections{pool="history",service="history"} 4')
  stop()
  ours.poolInUseConnections.set({ pool: 'history' }, 5)
  expect(await ours.exposition()).toContain('pool_in_use_connections{pool="history",service="history"} 5')
})
