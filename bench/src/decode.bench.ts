/**
 * `decode`: payloads of DISH_RANKING_UPDATED to events.
 * Limit: avsc's own `fromBuffer` of one cached type, without header, guards or resolution. Naive: the registry client's
 * `decode`, one promise a payload.
 */

import { schemaDefinitions } from '@bellyfed/schemas'
import { createTestEvents } from '@bellyfed/testkit/world'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'
import type { Bar } from './bar.ts'
import { sampleEvent } from './sample-events.ts'

const payloadCount = 5_000
const headerBytes = 5

export const decodeBar: Bar = {
  name: 'decode',
  unit: 'records/s',
  floor: { ratioToLimit: 0.9 },
  async prepare(context) {
    const { registryUrl } = await context.parts()
    const events = await createTestEvents(registryUrl)
    const payloads = Array.from({ length: payloadCount }, (_, index) => events.encode(sampleEvent(index, 500)))
    const bare = payloads.map((payload) => payload.subarray(headerBytes))
    const definition = schemaDefinitions.schemaJson(schemaDefinitions.recordFor('DISH_RANKING_UPDATED'))
    const type = avsc.Type.forSchema(JSON.parse(definition))
    const registry = new SchemaRegistry({ host: registryUrl })
    const passes = context.quick ? 4 : 30
    // Every decoded value is looked at, or the compiler might leave the work out.
    let sequences = 0
    const rate = (decodes: number, startedAtMs: number) => (decodes * 1_000) / (performance.now() - startedAtMs)

    return {
      ours: () => {
        const startedAtMs = performance.now()
        for (let pass = 0; pass < passes; pass += 1) {
          for (const payload of payloads) sequences += events.codec.decode(payload).event.sequence
        }
        return Promise.resolve(rate(passes * payloadCount, startedAtMs))
      },
      limit: () => {
        const startedAtMs = performance.now()
        for (let pass = 0; pass < passes; pass += 1) {
          for (const payload of bare) sequences += type.fromBuffer(payload).sequence
        }
        return Promise.resolve(rate(passes * payloadCount, startedAtMs))
      },
      naive: async () => {
        const startedAtMs = performance.now()
        for (const payload of payloads) sequences += (await registry.decode(payload)).sequence
        return rate(payloadCount, startedAtMs)
      },
      close: () => {
        if (!Number.isFinite(sequences)) throw new Error('nothing was decoded')
        return Promise.resolve()
      },
    }
  },
}
