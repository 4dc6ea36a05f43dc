import { describe, expect, test } from 'vitest'
import { createCodec } from './codec.ts'
import { incompatibilities } from './compatibility.ts'
import { goldenFiles, goldenRecords, releaseFaults } from './golden.ts'
import { releasedSubjects } from './register-schemas.ts'

const released = [...new Map(releasedSubjects.map((one) => [one.record, one.schemaJson]))].map(
  ([record, schemaJson]) => ({
    record,
    schemaJson,
  }),
)
const golden = goldenRecords().flatMap((record) => goldenFiles(record))

describe('golden bytes', () => {
  test.each(golden.map((file) => [file.record, file.version, file] as const))(
    '%s version %i still decodes',
    async (_record, _version, file) => {
      const codec = createCodec({ writerSchema: async () => JSON.stringify(file.writerSchema) })
      await codec.prepare([1])
      for (const { bytes, value } of file.samples) {
        const decoded = codec.decode(Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), Buffer.from(bytes, 'hex')]))
        expect(decoded.event).toMatchObject(value as object)
      }
    },
  )

  test('every released record has them, and no other', () => {
    expect(golden.map((file) => file.record).sort()).toStrictEqual(
      expect.arrayContaining(released.map((one) => one.record).sort()),
    )
    expect(new Set(golden.map((file) => file.record)).size).toBe(released.length)
  })

  test('every released record is as it was last released', () => {
    expect(released.flatMap(releaseFaults)).toStrictEqual([])
  })
})

describe('a change of a released schema', () => {
  const [first] = released
  if (!first) throw new Error('Nothing is released')
  type Schema = { fields: { name: string; type: unknown; default?: unknown; doc?: string }[] }
  const changed = (change: (schema: Schema) => unknown) => {
    const schema = JSON.parse(first.schemaJson) as Schema
    change(schema)
    return JSON.stringify(schema)
  }
  const field = (schema: Schema, name: string) =>
    schema.fields.find((one) => one.name === name) ?? { name: '', type: '' }

  test.each([
    ['a field removed', changed((schema) => schema.fields.splice(9, 1))],
    ['a field renamed', changed((schema) => Object.assign(field(schema, 'dishName'), { name: 'title' }))],
    ['a field added without default', changed((schema) => schema.fields.push({ name: 'extra', type: 'string' }))],
    ['a type changed', changed((schema) => Object.assign(field(schema, 'sequence'), { type: 'string' }))],
    ['a type widened', changed((schema) => Object.assign(field(schema, 'oldRank'), { type: ['null', 'long'] }))],
    ['null allowed', changed((schema) => Object.assign(field(schema, 'dishName'), { type: ['null', 'string'] }))],
  ])('is caught: %s', (_what, schemaJson) => {
    expect(incompatibilities(schemaJson, first.schemaJson)).not.toStrictEqual([])
    expect(releaseFaults({ record: first.record, schemaJson })).toContainEqual(expect.stringContaining('version 1'))
  })

  test('is caught until it is released, even where it is compatible', () => {
    const schemaJson = changed((schema) =>
      schema.fields.push({ name: 'extra', type: ['null', 'string'], default: null }),
    )
    expect(incompatibilities(schemaJson, first.schemaJson)).toStrictEqual([])
    expect(releaseFaults({ record: first.record, schemaJson })).toStrictEqual([expect.stringContaining('--release')])
  })

  test('is none where only documentation changes', () => {
    const schemaJson = changed((schema) => Object.assign(field(schema, 'dishName'), { doc: 'Other words.' }))
    expect(releaseFaults({ record: first.record, schemaJson })).toStrictEqual([])
  })
})
