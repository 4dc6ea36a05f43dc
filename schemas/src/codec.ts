/**
 * From events to the bytes on the topics and back.
 *
 * Encoding and decoding are synchronous; nothing on the hot path asks the registry. A consumer peeks at the schema ids
 * of a batch, prepares those it meets for the first time, and decodes. Preparing an id parses its schema, resolves it
 * to the current one and compiles a reader; that is kept for the life of the codec.
 *
 * A payload is refused before it can cost anything: over the size limit, wrong magic byte, unknown schema id, and on
 * the way through its bytes any length, count or index that the remaining bytes do not bear out. avsc on its own would
 * allocate 568 MiB for five bytes that claim an array of 2^31 nulls.
 *
 * A schema id that the registry does not know, and a schema that this build cannot read, is a fault of the payload
 * (InvalidPayload). A registry that does not answer is not: `prepare` rejects, and may be called again.
 */
import avsc from 'avsc'
import { refuseRecursion } from './avro-shape.ts'
import { compileReader } from './compiled-reader.ts'
import { Cursor } from './cursor.ts'
import { dictionary } from './dictionary.ts'
import type { DecodedEvent, EventValues, ReleasedEventType } from './generated/events.ts'
import { InvalidPayload } from './invalid-payload.ts'
import { schemaDefinitions } from './schema-definitions.ts'
import { compileWalk } from './walk.ts'
import { headerBytes, peekSchemaId, writeHeader } from './wire-format.ts'

export interface Codec {
  /**
   * The value for Kafka. @throws TypeError naming the fields that do not fit the event's current schema, InvalidPayload
   * `too-large` when it comes out over the size limit: no consumer would take it.
   */
  encode<T extends ReleasedEventType>(type: T, value: EventValues[T], schemaId: number): Buffer
  /** @throws InvalidPayload */
  decode(value: Uint8Array): DecodedEvent
  /**
   * Makes these schema ids known; returns at once for those that are. An id that the registry does not know stays
   * unknown. @throws whatever the loader throws when the registry does not answer.
   */
  prepare(ids: Iterable<number>): Promise<void>
}

export interface CodecOptions {
  /** The schema that the registry has under an id, as JSON. Rejects with InvalidPayload `unknown-schema` for none. */
  writerSchema(id: number): Promise<string>
  /** Longest payload, header included, that is encoded or decoded. */
  payloadBytesMax?: number
}

/** Ten times the largest event that the API's limits on text allow. */
const payloadBytesMaxDefault = 65_536

/** For so long a schema id that the registry did not know is not asked for again, so that garbage cannot flood it. */
const unknownIdMsMax = 30_000

/** Past this many remembered unknown ids all are forgotten: the memory stays bounded. */
const unknownIdsMax = 10_000

const lookupsAtOnceMax = 8

/** Decodes the bytes after the header. */
type Decode = (cursor: Cursor, value: Buffer) => DecodedEvent

export function createCodec({ writerSchema, payloadBytesMax = payloadBytesMaxDefault }: CodecOptions): Codec {
  const decoders = new Map<number, Decode>()
  const loading = new Map<number, Promise<void>>()
  const unknownSinceMs = new Map<number, number>()
  const cursor = new Cursor()
  let scratch = Buffer.allocUnsafeSlow(Math.min(4_096, payloadBytesMax))

  const isUnknown = (id: number) => {
    const sinceMs = unknownSinceMs.get(id)
    return sinceMs !== undefined && performance.now() - sinceMs < unknownIdMsMax
  }
  const load = async (id: number) => {
    try {
      const schemaJson = await writerSchema(id)
      decoders.set(id, decoderOf(schemaJson))
      unknownSinceMs.delete(id)
    } catch (error) {
      if (!(error instanceof InvalidPayload) || error.code !== 'unknown-schema') throw error
      if (unknownSinceMs.size >= unknownIdsMax) unknownSinceMs.clear()
      unknownSinceMs.set(id, performance.now())
    }
  }
  const loadOnce = (id: number) => {
    const running = loading.get(id) ?? load(id).finally(() => loading.delete(id))
    loading.set(id, running)
    return running
  }

  return {
    encode(type, value, schemaId) {
      const writer = currentTypes().get(type)?.type
      if (writer === undefined) throw new TypeError(`${type} has no released schema`)
      let end = write(type, writer, value, scratch)
      if (end < 0) {
        const bytes = scratch.length - end
        if (bytes > payloadBytesMax) throw new InvalidPayload('too-large', { bytes, bytesMax: payloadBytesMax })
        scratch = Buffer.allocUnsafeSlow(Math.min(bytes * 2, payloadBytesMax))
        end = write(type, writer, value, scratch)
      }
      writeHeader(scratch, schemaId)
      return Buffer.from(scratch.subarray(0, end))
    },
    decode(value) {
      if (value.length > payloadBytesMax) {
        throw new InvalidPayload('too-large', { bytes: value.length, bytesMax: payloadBytesMax })
      }
      const id = peekSchemaId(value)
      const decode = decoders.get(id)
      if (decode === undefined) throw new InvalidPayload('unknown-schema', { schemaId: id })
      return decode(cursor, Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length))
    },
    async prepare(ids) {
      const wanted = [...new Set(ids)].filter((id) => !decoders.has(id) && !isUnknown(id))
      for (let from = 0; from < wanted.length; from += lookupsAtOnceMax) {
        await Promise.all(wanted.slice(from, from + lookupsAtOnceMax).map(loadOnce))
      }
    },
  }
}

/** Writes the value behind the header. Returns where it ends, or as a negative number how many bytes are missing. */
function write(name: string, type: avsc.Type, value: unknown, into: Buffer): number {
  try {
    return type.encode(value, into, headerBytes)
  } catch (cause) {
    const paths: string[] = []
    type.isValid(value, { errorHook: (path: string[]) => paths.push(path.join('.')) })
    throw new TypeError(`${name} does not fit its schema in ${paths.join(', ')}`, { cause })
  }
}

/** Never throws: a schema that cannot be read gives a decoder that says so of each payload. */
function decoderOf(schemaJson: string): Decode {
  try {
    const writer = avsc.Type.forSchema(JSON.parse(schemaJson))
    refuseRecursion(writer)
    const current = [...currentTypes().values()].find(({ type }) => type.name === writer.name)
    if (current === undefined) {
      return refusing(new InvalidPayload('unknown-record', { record: String(writer.name ?? writer.typeName) }))
    }
    const read = readerOf(writer, current.type)
    return (cursor, value) => {
      cursor.open(value, headerBytes)
      const event = read(cursor, value)
      cursor.close()
      return { type: current.name, event } as DecodedEvent
    }
  } catch (cause) {
    return refusing(new InvalidPayload('incompatible-schema', { reason: (cause as Error).message }, { cause }))
  }
}

/** @throws Error when avsc cannot resolve the two. */
export function readerOf(writer: avsc.Type, reader: avsc.Type): (cursor: Cursor, value: Buffer) => object {
  const resolver = reader.createResolver(writer)
  const compiled = compileReader(writer, reader)
  if (compiled) return compiled
  const walk = compileWalk(writer)
  return (cursor, value) => {
    walk(cursor)
    try {
      return { ...(reader.decode(value, headerBytes, resolver).value as object) }
    } catch (cause) {
      throw new InvalidPayload('malformed', { reason: (cause as Error).message }, { cause })
    }
  }
}

function refusing(refusal: InvalidPayload): Decode {
  return () => {
    throw new InvalidPayload(refusal.code, refusal.facts, { cause: refusal.cause })
  }
}

let types: ReadonlyMap<string, { name: string; type: avsc.Type }> | undefined

/** The current schemas of the released events; parsed on first use, once a process. */
function currentTypes(): ReadonlyMap<string, { name: string; type: avsc.Type }> {
  types ??= new Map(
    dictionary
      .filter((event) => event.isReleased)
      .map(({ name, record }) => {
        return [name, { name, type: avsc.Type.forSchema(JSON.parse(schemaDefinitions.schemaJson(record))) }]
      }),
  )
  return types
}
