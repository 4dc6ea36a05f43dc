/** The walk over a value's bytes by the schema it was written with: reads nothing, allocates nothing, checks all. */
import type avsc from 'avsc'
import { bytesMin, shapeOf } from './avro-shape.ts'
import type { Cursor } from './cursor.ts'

export type Walk = (cursor: Cursor) => void

/** The walk of a type that does not contain itself. */
export function compileWalk(type: avsc.Type): Walk {
  const shape = shapeOf(type)
  switch (shape.kind) {
    case 'null':
      return () => {}
    case 'boolean':
      return (cursor) => void cursor.boolean()
    case 'int':
      return (cursor) => void cursor.int()
    case 'long':
      return (cursor) => void cursor.long()
    case 'float':
      return (cursor) => void cursor.skip(4)
    case 'double':
      return (cursor) => void cursor.skip(8)
    case 'string':
    case 'bytes':
      return (cursor) => cursor.skipLengthPrefixed()
    case 'fixed':
      return (cursor) => void cursor.skip(shape.size)
    case 'enum':
      return (cursor) => void cursor.index(shape.symbols.length)
    case 'union': {
      const branches = shape.branches.map(compileWalk)
      return (cursor) => branches[cursor.index(branches.length)]?.(cursor)
    }
    case 'array': {
      const item = compileWalk(shape.items)
      const itemBytesMin = bytesMin(shape.items)
      return (cursor) => cursor.items(itemBytesMin, item)
    }
    case 'map': {
      const value = compileWalk(shape.values)
      const entry = (cursor: Cursor) => {
        cursor.skipLengthPrefixed()
        value(cursor)
      }
      const entryBytesMin = 1 + bytesMin(shape.values)
      return (cursor) => cursor.items(entryBytesMin, entry)
    }
    case 'record': {
      const fields = shape.fields.map((field) => compileWalk(field.type))
      return (cursor) => {
        for (const walk of fields) walk(cursor)
      }
    }
  }
}
