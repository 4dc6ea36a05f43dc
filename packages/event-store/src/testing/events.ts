/** Events for tests of the store and the relay: valid, small, and told apart by their ids. */
import { randomUUID } from 'node:crypto'
import type { Pool } from '@bellyfed/postgres'
import { advanceStreams, insertEvents } from '../append.ts'
import type { NewEvent, PlacedEvent } from '../events.ts'

/** The id that test payloads are written with. */
export const testSchemaId = 7

/** A payload in wire format whose record is nothing but the text. */
export function payloadOf(text: string, schemaId = testSchemaId): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(schemaId, 1)
  return Buffer.concat([header, Buffer.from(text)])
}

export function newEvent(given: Partial<NewEvent> = {}): NewEvent {
  const eventId = given.eventId ?? randomUUID()
  return {
    eventId,
    type: 'DISH_RANKED',
    topic: 'dish-rankings',
    key: given.userId ?? 'nobody',
    userId: null,
    sessionId: null,
    correlationId: null,
    causationId: null,
    commandId: null,
    occurredAtMs: Date.UTC(2026, 2, 1, 12),
    acceptedAtMs: Date.UTC(2026, 2, 1, 12, 0, 5),
    schemaId: testSchemaId,
    payload: payloadOf(eventId),
    metadata: null,
    ...given,
  }
}

/** The next `count` events of a user's stream. */
export function nextEvents(stream: string, expectedVersion: number, count = 1): PlacedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    ...newEvent({ userId: stream, key: stream }),
    stream,
    version: expectedVersion + index + 1,
  }))
}

/** Appends to a stream in one transaction; false when the stream had another version. `during` runs before COMMIT. */
export async function appendTo(
  pool: Pool,
  stream: string,
  expectedVersion: number,
  options: { count?: number; during?: () => Promise<unknown> } = {},
): Promise<PlacedEvent[] | false> {
  const events = nextEvents(stream, expectedVersion, options.count)
  return pool.transaction(async (tx) => {
    const newVersion = expectedVersion + events.length
    const { won } = await advanceStreams(tx, [{ stream, expectedVersion, newVersion, atMs: Date.now() }])
    if (!won.has(stream)) return false
    await insertEvents(tx, events)
    await options.during?.()
    return events
  })
}

/** Everything that an iterable gives. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
