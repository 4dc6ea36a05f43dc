/**
 * Cursors are opaque to clients: where a list goes on, as JSON in base64url. They hold no right and no secret, so they
 * are not signed; but whatever comes back is checked against a schema before it is used.
 */
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { problem } from './problem.ts'

const cursorLengthMax = 1_024

/** The cursor for a position in a list: JSON values only, bigint as text. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** The position that a cursor stands for. Throws the problem `invalid-cursor` for anything else than one of ours. */
export function decodeCursor<const Schema extends TSchema>(schema: Schema, cursor: string): Static<Schema> {
  const position = cursor.length > cursorLengthMax ? undefined : parse(cursor)
  if (position === undefined || !Value.Check(schema, position)) {
    throw problem('invalid-cursor', {
      detail: 'send the cursor of the previous page as it was, with the same filters',
      errors: [{ field: 'cursor', rule: 'cursor', message: 'must be the cursor of a page', in: 'query' }],
    })
  }
  return position
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
