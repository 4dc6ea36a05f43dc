/** What the walk and the compiled reader ask of a parsed schema. */
import type avsc from 'avsc'

type Type = avsc.Type

/** A parsed schema as a union that a switch can close over. Logical types are read as what they are made of. */
export type Shape =
  | { kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes' }
  | { kind: 'fixed'; size: number }
  | { kind: 'enum'; symbols: readonly string[] }
  | { kind: 'union'; branches: readonly Type[] }
  | { kind: 'array'; items: Type }
  | { kind: 'map'; values: Type }
  | { kind: 'record'; fields: readonly avsc.types.Field[] }

export function shapeOf(type: Type): Shape {
  const { typeName } = type
  switch (typeName) {
    case 'null':
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
    case 'bytes':
      return { kind: typeName }
    case 'fixed':
      return { kind: 'fixed', size: (type as avsc.types.FixedType).size }
    case 'enum':
      return { kind: 'enum', symbols: (type as avsc.types.EnumType).symbols }
    case 'array':
      return { kind: 'array', items: (type as avsc.types.ArrayType).itemsType }
    case 'map':
      return { kind: 'map', values: (type as avsc.types.MapType).valuesType as Type }
    case 'union:unwrapped':
    case 'union:wrapped':
      return { kind: 'union', branches: (type as avsc.types.UnwrappedUnionType).types }
    case 'record':
    case 'error':
      return { kind: 'record', fields: (type as avsc.types.RecordType).fields }
    default:
      throw new TypeError(`Avro type ${typeName} is not supported`)
  }
}

/** The fewest bytes that any value of the type takes. */
export function bytesMin(type: Type): number {
  const shape = shapeOf(type)
  switch (shape.kind) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return shape.size
    case 'union':
      return 1 + Math.min(...shape.branches.map(bytesMin))
    case 'record':
      return shape.fields.reduce((sum, field) => sum + bytesMin(field.type), 0)
    default:
      return 1
  }
}

/** @throws TypeError when the type contains itself: its values may nest deeper than the stack. */
export function refuseRecursion(type: Type, within: readonly Type[] = []): void {
  if (within.includes(type)) throw new TypeError(`${type.name ?? type.typeName} contains itself`)
  const shape = shapeOf(type)
  const inner = [...within, type]
  if (shape.kind === 'array') refuseRecursion(shape.items, inner)
  if (shape.kind === 'map') refuseRecursion(shape.values, inner)
  if (shape.kind === 'union') for (const branch of shape.branches) refuseRecursion(branch, inner)
  if (shape.kind === 'record') for (const field of shape.fields) refuseRecursion(field.type, inner)
}
