/**
 * Compiles the reader of one record for one writer schema: a straight line of reads from the cursor and one object
 * literal, the bounds checked on the way. avsc looks up a method per field and decodes every string by a native call; this
 * takes about two thirds of its time, checks included.
 *
 * It knows what FULL_TRANSITIVE lets change: fields come and go with defaults, enums gain symbols under a default. For
 * anything else (promotions, wider unions, maps, nested records) it declines, and avsc reads after a walk.
 */
import type avsc from 'avsc'
import { bytesMin, type Shape, shapeOf } from './avro-shape.ts'
import type { Cursor } from './cursor.ts'
import { compileWalk } from './walk.ts'

export type RecordReader = (cursor: Cursor) => object
type ValueReader = (cursor: Cursor) => unknown

/**
 * The reader of records written as `writer` and wanted as `reader`, two types that avsc resolves. Undefined when they
 * differ by more than the compiler knows.
 */
export function compileReader(writer: avsc.Type, reader: avsc.Type): RecordReader | undefined {
  const written = shapeOf(writer)
  const wanted = shapeOf(reader)
  if (written.kind !== 'record' || wanted.kind !== 'record') return undefined

  const constants: unknown[] = []
  const constant = (value: unknown) => `k[${constants.push(value) - 1}]`
  const lines: string[] = []
  const found = new Set<avsc.types.Field>()
  for (const field of written.fields) {
    const target = wanted.fields.find((one) => one.name === field.name || one.aliases.includes(field.name))
    if (target === undefined) {
      lines.push(`${constant(compileWalk(field.type))}(c)`)
      continue
    }
    const source = sourceOf(field.type, target.type, constant)
    if (source === undefined) return undefined
    found.add(target)
    lines.push(`const v${wanted.fields.indexOf(target)} = ${source}`)
  }
  const properties = wanted.fields.map((field, index) => {
    const value = found.has(field) ? `v${index}` : `${constant(() => field.defaultValue())}()`
    return `${JSON.stringify(field.name)}: ${value}`
  })
  // The names in this source are those of our own current schema; a writer's names only ever select among them.
  const source = `return function (c) {\n${lines.join('\n')}\nreturn { ${properties.join(', ')} }\n}`
  return new Function('k', source)(constants) as RecordReader
}

/** JavaScript that reads one value from the cursor `c`. */
function sourceOf(writer: avsc.Type, reader: avsc.Type, constant: (value: unknown) => string): string | undefined {
  const written = shapeOf(writer)
  const wanted = shapeOf(reader)
  if (isPlain(written)) return written.kind === wanted.kind ? `c.${written.kind}()` : undefined
  if (written.kind === 'enum' && wanted.kind === 'enum') {
    const symbols = symbolsAs(written.symbols, reader)
    return symbols && `${constant(symbols)}[c.index(${symbols.length})]`
  }
  if (written.kind === 'union' && wanted.kind === 'union') return optionalSource(written, wanted, constant)
  if (written.kind === 'array' && wanted.kind === 'array') {
    const item = sourceOf(written.items, wanted.items, constant)
    return item && `c.array(${bytesMin(written.items)}, ${constant(compileValue(written.items, wanted.items))})`
  }
  return undefined
}

function compileValue(writer: avsc.Type, reader: avsc.Type): ValueReader {
  const constants: unknown[] = []
  const source = sourceOf(writer, reader, (value) => `k[${constants.push(value) - 1}]`)
  return new Function('k', `return function (c) { return ${source} }`)(constants) as ValueReader
}

/** Two branches, one of them null, in the same order on both sides. */
function optionalSource(
  written: Shape & { kind: 'union' },
  wanted: Shape & { kind: 'union' },
  constant: (value: unknown) => string,
): string | undefined {
  if (written.branches.length !== 2 || wanted.branches.length !== 2) return undefined
  const nullAt = written.branches.findIndex((branch) => branch.typeName === 'null')
  if (nullAt === -1 || wanted.branches[nullAt]?.typeName !== 'null') return undefined
  const [writer, reader] = [written.branches[1 - nullAt], wanted.branches[1 - nullAt]]
  if (writer === undefined || reader === undefined) return undefined
  const value = sourceOf(writer, reader, constant)
  return value && `c.index(2) === ${nullAt} ? null : ${value}`
}

/** The writer's symbols as the reader reads them: its own, or its default for those that it does not know. */
function symbolsAs(written: readonly string[], reader: avsc.Type): readonly string[] | undefined {
  const { symbols, default: fallback } = reader as avsc.types.EnumType & { readonly default?: string }
  const read = written.map((symbol) => (symbols.includes(symbol) ? symbol : fallback))
  return read.every((symbol) => symbol !== undefined) ? read : undefined
}

function isPlain(shape: Shape): boolean {
  return ['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'].includes(shape.kind)
}
