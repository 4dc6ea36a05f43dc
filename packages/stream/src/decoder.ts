import { type Codec, InvalidPayload, peekSchemaId } from '@bellyfed/schemas'
import type { Chunk } from './chunk.ts'
import { type EventPosition, headerNames, parsePosition } from './event-position.ts'
import type { Marks } from './marks.ts'
import type { LogRecord } from './ports.ts'
import type { Failure, ReceivedEvent } from './received-event.ts'

/**
 * Turns records into what a transaction writes: an event, a duplicate to drop, or a dead record. Only what makes a
 * record itself invalid makes it dead; any other error is thrown on, since it is ours.
 */
export class Decoder {
  readonly #codec: Codec
  readonly #knownSchemaIds = new Set<number>()
  #latestKnownId: number | undefined

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** Makes the schemas of these records known. Rejects when the registry does not answer; then ask again. */
  async prepare(records: readonly LogRecord[]): Promise<void> {
    const unknown = new Set<number>()
    for (const { value } of records) {
      const id = value === null ? undefined : schemaIdOf(value)
      if (id !== undefined && id !== this.#latestKnownId && !this.#knownSchemaIds.has(id)) unknown.add(id)
    }
    if (unknown.size === 0) return
    await this.#codec.prepare(unknown)
  }

  /** Adds one record to the chunk. */
  decodeInto(chunk: Chunk, marks: Marks, record: LogRecord): void {
    const header = record.headers[headerNames.position]
    const position = header === undefined ? undefined : parsePosition(header)
    const isRepublished = record.headers[headerNames.republished] !== undefined
    if (position !== undefined && !isRepublished) {
      if (!marks.pass(position)) {
        chunk.addDuplicate(record)
        return
      }
      chunk.mark(position)
    }
    const outcome =
      header !== undefined && position === undefined ? invalidPosition(header) : this.#decode(record, position)
    if ('decoded' in outcome) chunk.addEvent(record, outcome)
    else chunk.addDead(record, position, outcome)
  }

  #noteKnown(id: number): void {
    if (id === this.#latestKnownId) return
    this.#latestKnownId = id
    this.#knownSchemaIds.add(id)
  }

  #decode(record: LogRecord, position: EventPosition | undefined): ReceivedEvent | Failure {
    const { topic, partition, offset, value, timestampMs } = record
    if (value === null) return { errorClass: 'InvalidRecord', code: 'no-value', message: 'The record has no value' }
    try {
      const decoded = this.#codec.decode(value)
      this.#noteKnown(peekSchemaId(value))
      return { decoded, topic, partition, offset, position, timestampMs }
    } catch (error) {
      if (!(error instanceof InvalidPayload)) throw error
      return { errorClass: error.name, code: error.code, message: error.message }
    }
  }
}

function schemaIdOf(value: Buffer): number | undefined {
  try {
    return peekSchemaId(value)
  } catch {
    return undefined // decoding says why
  }
}

function invalidPosition(header: Buffer): Failure {
  const shown = JSON.stringify(header.toString('latin1').slice(0, 200))
  return { errorClass: 'InvalidRecord', code: 'bad-position', message: `The position header ${shown} cannot be read` }
}
