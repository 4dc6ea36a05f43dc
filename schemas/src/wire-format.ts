/**
 * Confluent's wire format: a zero byte, the schema id in four bytes (big-endian), then the Avro encoding. Every value on
 * every topic has it, so that any client with the registry at hand can read it.
 */
import { InvalidPayload } from './invalid-payload.ts'

export const headerBytes = 5
const magicByte = 0

/** The id of the schema that a value was written with. @throws InvalidPayload `truncated` or `bad-magic`. */
export function peekSchemaId(value: Uint8Array): number {
  if (value.length < headerBytes) throw new InvalidPayload('truncated', { bytes: value.length })
  if (value[0] !== magicByte) throw new InvalidPayload('bad-magic', { byte: value[0] as number })
  return (
    (((value[1] as number) << 24) |
      ((value[2] as number) << 16) |
      ((value[3] as number) << 8) |
      (value[4] as number)) >>>
    0
  )
}

/** Writes the header into the first five bytes of `buffer`. */
export function writeHeader(buffer: Buffer, schemaId: number): void {
  buffer[0] = magicByte
  buffer.writeUInt32BE(schemaId, 1)
}
