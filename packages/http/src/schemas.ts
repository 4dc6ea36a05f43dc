/** Schemas that routes of every service share. */

import type { Static, TSchema } from 'typebox'
import { Type } from 'typebox'

/** An id: a UUID in lower case, the only form that is accepted and written. */
export const Uuid = Type.String({ format: 'uuid' })
/** A moment, ISO 8601 with a zone. */
export const Timestamp = Type.String({ format: 'date-time' })
/** A receipt as query parameter `after`: the answer waits until it includes what the receipt stands for. */
export const ReceiptParameter = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'A receipt of an earlier write',
})
/** The opaque cursor of a list. */
export const CursorParameter = Type.String({
  minLength: 1,
  maxLength: 1_024,
  description: 'Cursor of the previous page',
})

/**
 * The schema, or null. Unlike a union it costs nothing to serialise: a union is decided by validating each branch.
 * For schemas with one `type`: texts, numbers, flags.
 */
export function nullable<Schema extends TSchema>(
  schema: Schema,
): ReturnType<typeof Type.Unsafe<Static<Schema> | null>> {
  const { type } = schema as { type?: unknown }
  if (typeof type !== 'string') throw new Error('nullable needs a schema with one type')
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [type, 'null'] })
}

/** A problem document, for response schemas and the OpenAPI document. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Stable; what a client decides by' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 100, maximum: 599 }),
    detail: Type.Optional(Type.String({ description: 'For people; may change' })),
    instance: Type.String({ description: 'The path asked for' }),
    traceId: Type.String({ description: 'Leads to the log lines of this request' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String(),
          rule: Type.String(),
          message: Type.String(),
          in: Type.Optional(Type.String({ enum: ['body', 'query', 'path', 'header'] })),
        }),
      ),
    ),
  },
  { additionalProperties: true, description: 'A refusal (RFC 9457)' },
)
