/**
 * Positions, marks and dead letters in the service's own schema, and the one transaction that moves them together with
 * the projection.
 *
 * The transaction's first statement is the advisory lock of (group, partition number). The second is the position's
 * compare-and-set: from what this assignment last loaded or wrote, never from a record's offset, because compaction
 * leaves gaps. When it updates no row, everything is rolled back. All statements travel without waiting for each
 * other; the outcome of the compare-and-set is looked at before the commit, and before any error of the projection,
 * which a stale consumer may well provoke.
 */
import { arrayOf, type Pool, statement, type Transaction } from '@bellyfed/postgres'
import type { Chunk } from './chunk.ts'
import { type EventPosition, headerNames } from './event-position.ts'
import { murmur2 } from './partitioner.ts'
import type { TopicPartition } from './ports.ts'
import type { LogIdentity, StoredPosition } from './position-check.ts'
import type { DeadRecord, ReceivedEvent } from './received-event.ts'

const loadPosition = statement(import.meta.url, '../sql/load-position.sql')
const createPosition = statement(import.meta.url, '../sql/create-position.sql')
const lockPartition = statement(import.meta.url, '../sql/lock-partition.sql')
const advancePosition = statement(import.meta.url, '../sql/advance-position.sql')
const raiseMarks = statement(import.meta.url, '../sql/raise-marks.sql')
const insertDeadLetters = statement(import.meta.url, '../sql/insert-dead-letters.sql')

/** Writes what follows from events. It must give the same state when it sees an event twice. */
export interface Projection {
  readonly name: string
  /** Everything through `tx`; events are of one partition, in order. An error undoes the whole batch. */
  apply(tx: Transaction, events: readonly ReceivedEvent[]): Promise<void>
}

/** Another consumer has moved the position since it was loaded. Nothing was written. */
export class StalePosition extends Error {
  override readonly name = 'StalePosition'
}

/** A partition's position together with its marks, as of one snapshot. */
export interface LoadedPosition extends StoredPosition {
  readonly marks: readonly EventPosition[]
}

interface PositionRow {
  readonly next_offset: bigint
  readonly cluster_id: string
  readonly topic_id: string
  readonly marks: readonly { source: string; epoch: string; xid: string; position: string }[]
}

/** The tables of one consumer group. */
export class PositionStore {
  readonly #pool: Pool
  readonly #group: string
  readonly #lockClass: number

  constructor(pool: Pool, group: string) {
    this.#pool = pool
    this.#group = group
    this.#lockClass = murmur2(Buffer.from(group))
  }

  /** The stored position, or undefined before the first assignment ever. */
  async load({ topic, partition }: TopicPartition): Promise<LoadedPosition | undefined> {
    const { rows } = await this.#pool.query<PositionRow>(loadPosition, [this.#group, topic, partition])
    const [row] = rows
    if (row === undefined) return undefined
    return {
      nextOffset: row.next_offset,
      clusterId: row.cluster_id,
      topicId: row.topic_id,
      marks: row.marks.map(({ source, epoch, xid, position }) => ({
        source,
        epoch: BigInt(epoch),
        xid: BigInt(xid),
        position: BigInt(position),
      })),
    }
  }

  /** Creates the position unless there is one. */
  async create({ topic, partition }: TopicPartition, nextOffset: bigint, identity: LogIdentity): Promise<void> {
    const { clusterId, topicId } = identity
    await this.#pool.query(createPosition, [this.#group, topic, partition, nextOffset, clusterId, topicId])
  }

  /** Applies the chunk and moves the position from `from` behind it. Throws StalePosition when it is not at `from`. */
  async write(at: TopicPartition, from: StoredPosition, chunk: Chunk, projection: Projection): Promise<void> {
    await this.#pool.transaction(async (tx) => {
      const { topic, partition } = at
      const statements = [tx.query(lockPartition, [this.#lockClass, partition])]
      const moved = tx.query(advancePosition, [
        this.#group,
        topic,
        partition,
        from.nextOffset,
        chunk.nextOffset,
        from.topicId,
      ])
      if (chunk.marks.length > 0) statements.push(this.#raiseMarks(tx, at, chunk.marks))
      if (chunk.dead.length > 0) statements.push(this.#insertDeadLetters(tx, at, from.topicId, chunk.dead))
      const applied = chunk.events.length > 0 ? projection.apply(tx, chunk.events) : Promise.resolve()
      const outcomes = await Promise.allSettled([moved, applied, ...statements])
      const [position] = outcomes
      if (position.status === 'fulfilled' && position.value.rowCount === 0) {
        throw new StalePosition(`the position of ${topic}/${partition} is no longer ${from.nextOffset}`)
      }
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    })
  }

  #raiseMarks(tx: Transaction, { topic, partition }: TopicPartition, marks: readonly EventPosition[]) {
    return tx.query(raiseMarks, [
      this.#group,
      topic,
      partition,
      arrayOf.text(marks.map((mark) => mark.source)),
      arrayOf.bigint(marks.map((mark) => mark.epoch)),
      arrayOf.bigint(marks.map((mark) => mark.xid)),
      arrayOf.bigint(marks.map((mark) => mark.position)),
    ])
  }

  #insertDeadLetters(
    tx: Transaction,
    { topic, partition }: TopicPartition,
    topicId: string,
    dead: readonly DeadRecord[],
  ) {
    return tx.query(insertDeadLetters, [
      this.#group,
      topic,
      topicId,
      partition,
      arrayOf.bigint(dead.map(({ record }) => record.offset)),
      arrayOf.bytea(dead.map(({ record }) => record.key)),
      arrayOf.bytea(dead.map(({ record }) => record.value)),
      arrayOf.json(dead.map(({ record }) => readableHeaders(record.headers))),
      arrayOf.timestampMs(dead.map(({ record }) => storableTimeMs(record.timestampMs))),
      arrayOf.text(dead.map(({ record }) => eventIdOf(record.headers))),
      arrayOf.text(dead.map(({ position }) => position?.source ?? null)),
      arrayOf.bigint(dead.map(({ position }) => position?.epoch ?? null)),
      arrayOf.bigint(dead.map(({ position }) => position?.xid ?? null)),
      arrayOf.bigint(dead.map(({ position }) => position?.position ?? null)),
      arrayOf.text(dead.map(({ failure }) => failure.errorClass)),
      arrayOf.text(dead.map(({ failure }) => failure.code)),
      arrayOf.text(dead.map(({ failure }) => failure.message.replaceAll('\0', '\ufffd'))),
    ])
  }
}

/** Anybody can write any timestamp; one that PostgreSQL cannot hold must not stop the partition. */
function storableTimeMs(timestampMs: number): number {
  const endOfYear9999 = Date.UTC(9999, 11, 31)
  return Number.isFinite(timestampMs) ? Math.min(Math.max(timestampMs, 0), endOfYear9999) : 0
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Headers as JSON: text where it is text that PostgreSQL can hold, else base64. */
function readableHeaders(headers: Record<string, Buffer>): Record<string, string | { base64: string }> {
  const entries = Object.entries(headers).map(([name, value]): [string, string | { base64: string }] => [
    name.replaceAll('\0', '\ufffd'),
    textOf(value) ?? { base64: value.toString('base64') },
  ])
  return Object.fromEntries(entries)
}

function eventIdOf(headers: Record<string, Buffer>): string | null {
  const header = headers[headerNames.eventId]
  return header === undefined ? null : (textOf(header) ?? null)
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = utf8.decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}
