export type InvalidPayloadCode =
  /** Longer than the codec's limit. */
  | 'too-large'
  /** Ends before the schema does, or claims a length beyond its end. */
  | 'truncated'
  /** Does not begin with the wire format's zero byte. */
  | 'bad-magic'
  /** Names a schema id that the registry does not know, or that was not prepared. */
  | 'unknown-schema'
  /** Its schema is no Avro record that this build has a current schema for. */
  | 'unknown-record'
  /** Its schema cannot be read as the current one. */
  | 'incompatible-schema'
  /** Claims more items in an array or map than its bytes can hold. */
  | 'collection-too-large'
  /** Bytes that no value of the schema has. */
  | 'malformed'
  /** Goes on after the schema ends. */
  | 'trailing-bytes'

/** A payload that will never decode, however often it is tried: it belongs with the dead letters. */
export class InvalidPayload extends Error {
  readonly code: InvalidPayloadCode
  readonly facts: Readonly<Record<string, number | string>>

  constructor(code: InvalidPayloadCode, facts: Readonly<Record<string, number | string>> = {}, options?: ErrorOptions) {
    const details = Object.entries(facts).map(([name, value]) => `${name} ${value}`)
    super(`Invalid payload: ${[code, ...details].join(', ')}`, options)
    this.name = 'InvalidPayload'
    this.code = code
    this.facts = facts
  }
}
