/** Appends sample events to ranking-api's event store, as its commands would: streams moved first, then the events. */
import { randomUUID } from 'node:crypto'
import { advanceStreams, insertEvents, type PlacedEvent } from '@bellyfed/event-store'
import type { DecodedEvent } from '@bellyfed/schemas'
import { sampleEvent } from './sample-events.ts'
import type { World } from './world.ts'

/** The row of the store that an event becomes. */
export function placedEvent(world: World, decoded: DecodedEvent): PlacedEvent {
  const { type, event } = decoded
  return {
    eventId: event.eventId,
    stream: event.userId,
    version: event.sequence,
    type,
    topic: 'dish-rankings',
    key: event.userId,
    userId: event.userId,
    sessionId: null,
    correlationId: null,
    causationId: null,
    commandId: event.commandId,
    occurredAtMs: event.occurredAtMs,
    acceptedAtMs: event.acceptedAtMs,
    schemaId: world.events.schemaId('DISH_RANKING_UPDATED'),
    payload: world.events.encode(decoded),
    metadata: null,
  }
}

/** An event of a user who was never seen before, so that any number can be written beside each other. */
export function freshEvent(index: number): DecodedEvent {
  const sample = sampleEvent(index, 1_000_000)
  const userId = randomUUID()
  return {
    ...sample,
    event: { ...sample.event, userId, eventId: randomUUID(), sequence: 1 },
  } as unknown as DecodedEvent
}

/** One transaction. */
export async function append(world: World, rows: readonly PlacedEvent[]): Promise<void> {
  await world.pools.rankingApi.transaction(async (tx) => {
    const moves = rows.map(({ stream, version, acceptedAtMs }) => ({
      stream,
      expectedVersion: version - 1,
      newVersion: version,
      atMs: acceptedAtMs,
    }))
    await advanceStreams(tx, moves)
    await insertEvents(tx, rows)
  })
}
