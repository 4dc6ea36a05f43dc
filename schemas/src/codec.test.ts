import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type Codec, createCodec } from './codec.ts'
import type { DishRanked } from './generated/events.ts'
import { parseDishId, parseEventId, parseRestaurantId, parseUserId } from './generated/ids.ts'
import { InvalidPayload } from './invalid-payload.ts'
import { schemaDefinitions } from './schema-definitions.ts'
import { peekSchemaId } from './wire-format.ts'

const currentJson = schemaDefinitions.schemaJson('bellyfed.rankings.DishRanked')
const current = JSON.parse(currentJson) as { fields: object[]; name: string }

const ranked: DishRanked = {
  eventId: parseEventId('01920000-0000-7000-8000-000000000001'),
  userId: parseUserId('01920000-0000-7000-8000-000000000002'),
  sequence: 1,
  occurredAtMs: 1_730_000_000_000,
  acceptedAtMs: 1_730_000_000_123,
  sessionId: null,
  correlationId: 'request-1',
  causationId: null,
  commandId: '01920000-0000-7000-8000-000000000003',
  dishId: parseDishId('01920000-0000-7000-8000-000000000004'),
  dishName: 'Jalapeño Ramen 🍜',
  dishVersion: 3,
  dishType: 'ramen',
  restaurantId: parseRestaurantId('01920000-0000-7000-8000-000000000005'),
  restaurantName: 'Noodle House',
  restaurantVersion: 7,
  city: 'Wien',
  country: null,
  cuisineTypes: ['japanese', 'fusion'],
  cause: 'ranked',
  oldRank: null,
  newRank: 1,
  oldRatingHundredths: null,
  newRatingHundredths: 425,
  notesSealed: Buffer.from([0, 255, 128]),
  photoUrlSealed: null,
}

/** A codec that knows these writer schemas under their index, from 0. */
async function codecOf(writers: readonly (string | object)[], payloadBytesMax?: number): Promise<Codec> {
  const texts = writers.map((writer) => (typeof writer === 'string' ? writer : JSON.stringify(writer)))
  const codec = createCodec({
    writerSchema: async (id) => {
      const text = texts[id]
      if (text === undefined) throw new InvalidPayload('unknown-schema', { schemaId: id })
      return text
    },
    ...(payloadBytesMax === undefined ? {} : { payloadBytesMax }),
  })
  await codec.prepare(texts.keys())
  return codec
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof InvalidPayload) return error.code
    throw error
  }
  return 'accepted'
}

const wire = (schemaId: number, ...bytes: number[]) => Buffer.from([0, 0, 0, 0, schemaId, ...bytes])

describe('round trip', () => {
  test('an event comes back as it was written', async () => {
    const codec = await codecOf([currentJson])
    const value = codec.encode('DISH_RANKED', ranked, 0)
    expect(codec.decode(value)).toStrictEqual({ type: 'DISH_RANKED', event: ranked })
    expect(codec.decode(new Uint8Array(value))).toStrictEqual({ type: 'DISH_RANKED', event: ranked })
  })

  test('any event comes back as it was written', async () => {
    const codec = await codecOf([currentJson])
    const text = fc.string({ unit: 'grapheme', maxLength: 300 })
    const long = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })
    const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
    const events = fc.record({
      sequence: long,
      occurredAtMs: long,
      commandId: optional(text),
      dishName: text,
      city: optional(text),
      cuisineTypes: fc.array(text, { maxLength: 20 }),
      cause: fc.constantFrom('ranked', 'confirmed', 'shifted', 'withdrawn'),
      oldRank: optional(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      notesSealed: optional(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
    })
    fc.assert(
      fc.property(events, (fields) => {
        const event = { ...ranked, ...fields } as DishRanked
        expect(codec.decode(codec.encode('DISH_RANKED', event, 0))).toStrictEqual({ type: 'DISH_RANKED', event })
      }),
    )
  })

  test('the wire format is a zero byte, the schema id and the Avro encoding', async () => {
    const codec = await codecOf([currentJson])
    const value = codec.encode('DISH_RANKED', ranked, 0xfedcba98)
    expect(value.subarray(0, 5).toString('hex')).toBe('00fedcba98')
    expect(peekSchemaId(value)).toBe(0xfedcba98)
    expect(value.subarray(5)).toStrictEqual(avsc.Type.forSchema(JSON.parse(currentJson)).toBuffer(ranked))
  })

  test('a decoded value does not change when the bytes it came from do', async () => {
    const codec = await codecOf([currentJson])
    const value = codec.encode('DISH_RANKED', ranked, 0)
    const decoded = codec.decode(value)
    value.fill(0)
    expect(decoded.event).toStrictEqual(ranked)
  })

  test('a value that does not fit the schema is refused with the names of its fields', async () => {
    const codec = await codecOf([currentJson])
    const wrong = { ...ranked, newRank: 1.5, cuisineTypes: [1] } as unknown as DishRanked
    expect(() => codec.encode('DISH_RANKED', wrong, 0)).toThrow(/cuisineTypes\.0, newRank/)
  })

  test('an event that no consumer would take is not encoded', async () => {
    const codec = await codecOf([currentJson], 1_000)
    const long = { ...ranked, dishName: 'x'.repeat(1_000) }
    expect(codeOf(() => codec.encode('DISH_RANKED', long, 0))).toBe('too-large')
  })
})

describe('refusals', () => {
  test('a payload of every shorter length is refused as truncated', async () => {
    const codec = await codecOf([currentJson])
    const value = codec.encode('DISH_RANKED', { ...ranked, photoUrlSealed: Buffer.from('sealed') }, 0)
    for (let length = 0; length < value.length; length++) {
      expect(codeOf(() => codec.decode(value.subarray(0, length)))).toMatch(/^(truncated|collection-too-large)$/)
    }
  })

  test.each([
    ['a wrong magic byte', Buffer.from([1, 0, 0, 0, 0, 0]), 'bad-magic'],
    ['a schema id that was not prepared', wire(9, 0), 'unknown-schema'],
    ['fewer bytes than a header', Buffer.from([0, 0, 0, 0]), 'truncated'],
    ['a string that claims more bytes than there are', wire(0, 200, 1, 65), 'truncated'],
    ['a string of negative length', wire(0, 3, 65), 'malformed'],
    ['a varint of eleven bytes', wire(0, ...Array<number>(11).fill(255)), 'malformed'],
  ])('%s is refused', async (_what, value, code) => {
    const codec = await codecOf([currentJson])
    expect(codeOf(() => codec.decode(value))).toBe(code)
  })

  test('bytes behind the event are refused', async () => {
    const codec = await codecOf([currentJson])
    const value = Buffer.concat([codec.encode('DISH_RANKED', ranked, 0), Buffer.from([0])])
    expect(codeOf(() => codec.decode(value))).toBe('trailing-bytes')
  })

  test('a payload over the limit is refused before it is looked at', async () => {
    const codec = await codecOf([currentJson], 1_000)
    expect(codeOf(() => codec.decode(Buffer.alloc(1_001, 1)))).toBe('too-large')
  })

  test('a schema that cannot be read as the current one is refused, not its registry', async () => {
    const withoutDish = { ...current, fields: current.fields.slice(0, 9) }
    const recursive = {
      ...current,
      fields: [...current.fields, { name: 'next', type: ['null', current.name], default: null }],
    }
    const codec = await codecOf([withoutDish, '{"type":', recursive, { ...current, name: 'Nobody' }, '"string"'])
    expect([0, 1, 2, 3, 4].map((id) => codeOf(() => codec.decode(wire(id, 0))))).toStrictEqual([
      'incompatible-schema',
      'incompatible-schema',
      'incompatible-schema',
      'unknown-record',
      'unknown-record',
    ])
    expect(() => codec.decode(wire(2, 0))).toThrow('contains itself')
  })

  test('whatever bytes are changed, the payload decodes or is refused', async () => {
    const codec = await codecOf([currentJson])
    const value = codec.encode('DISH_RANKED', ranked, 0)
    const change = fc.record({
      at: fc.integer({ min: 5, max: value.length - 1 }),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const changed = Buffer.from(value)
        for (const { at, byte } of changes) changed[at] = byte
        codeOf(() => codec.decode(changed))
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Zigzag varint. */
const varint = (value: bigint): number[] => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

describe('bombs', () => {
  const withFirst = (type: unknown) => ({
    ...current,
    fields: [{ name: 'bomb', type }, ...current.fields],
  })
  const writers = [
    withFirst({ type: 'array', items: 'null' }),
    withFirst({ type: 'array', items: 'int' }),
    withFirst({ type: 'map', values: 'null' }),
    withFirst({ type: 'array', items: { type: 'array', items: 'null' } }),
    {
      ...current,
      fields: [
        current.fields.find((field) => 'name' in field && field.name === 'cuisineTypes'),
        ...current.fields.filter((field) => 'name' in field && field.name !== 'cuisineTypes'),
      ],
    },
  ]
  test.each<[string, Buffer, string?]>([
    ['an array of 2^31 nulls in five bytes', wire(0, ...varint(2n ** 31n))],
    ['the same as a block with a byte size', wire(0, ...varint(-(2n ** 31n)), ...varint(0n))],
    [
      'many blocks of nulls that are each small',
      wire(0, ...Array.from({ length: 1_000 }, () => varint(1_000n)).flat()),
    ],
    ['a truncated array of 2^26 ints in four bytes', wire(1, ...varint(2n ** 26n))],
    ['an array of 2^62 ints', wire(1, ...varint(2n ** 62n)), 'malformed'],
    ['a block that claims more bytes than there are', wire(1, ...varint(-2n), ...varint(2n ** 40n), 2, 2), 'truncated'],
    ['a map of 2^40 nulls', wire(2, ...varint(2n ** 40n))],
    ['an array of nulls within an array', wire(3, ...varint(1n), ...varint(2n ** 31n))],
    ['an array of strings in a field that is read', wire(4, ...varint(2n ** 31n))],
  ])('%s is refused within 1 ms and 1 MiB', async (_what, value, expected = 'collection-too-large') => {
    const codec = await codecOf(writers)
    const rounds = Array.from({ length: 21 }, () => {
      const before = process.memoryUsage()
      const startMs = performance.now()
      const code = codeOf(() => codec.decode(value))
      const tookMs = performance.now() - startMs
      const after = process.memoryUsage()
      const bytes = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers)
      return { code, tookMs, bytes }
    })
    expect([...new Set(rounds.map(({ code }) => code))]).toStrictEqual([expected])
    // The median: the machine may be busy, the allocation of one round may fall beside a garbage collection.
    const median = (of: number[]) => of.sort((left, right) => left - right)[10]
    expect(median(rounds.map(({ tookMs }) => tookMs))).toBeLessThan(1)
    expect(median(rounds.map(({ bytes }) => bytes))).toBeLessThan(1024 * 1024)
  })

  test('avsc alone would allocate for such a claim', () => {
    const type = avsc.Type.forSchema({ type: 'array', items: 'null' })
    const before = process.memoryUsage().heapUsed
    const value = type.fromBuffer(Buffer.from([...varint(2n ** 20n), 0])) as unknown[]
    expect(value.length).toBe(2 ** 20)
    expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(1024 * 1024)
  })
})

describe('prepare', () => {
  test('a schema is loaded once, however often and by however many it is asked for', async () => {
    const writerSchema = vi.fn(async () => currentJson)
    const codec = createCodec({ writerSchema })
    await Promise.all([codec.prepare([1, 1]), codec.prepare([1])])
    await codec.prepare([1])
    expect(writerSchema).toHaveBeenCalledTimes(1)
  })

  test('a registry that does not answer is not a fault of the payload: prepare rejects and works later', async () => {
    const writerSchema = vi.fn(async () => currentJson)
    writerSchema.mockRejectedValueOnce(new Error('connection refused'))
    const codec = createCodec({ writerSchema })
    await expect(codec.prepare([1])).rejects.toThrow('connection refused')
    await codec.prepare([1])
    expect(codec.decode(codec.encode('DISH_RANKED', ranked, 1)).event).toStrictEqual(ranked)
  })

  test('an id that the registry does not know is not asked for with every batch', async () => {
    const writerSchema = vi.fn(async (id: number): Promise<string> => {
      throw new InvalidPayload('unknown-schema', { schemaId: id })
    })
    const codec = createCodec({ writerSchema })
    await codec.prepare([1])
    await codec.prepare([1, 1])
    expect(writerSchema).toHaveBeenCalledTimes(1)
    expect(codeOf(() => codec.decode(wire(1, 0)))).toBe('unknown-schema')
  })
})
