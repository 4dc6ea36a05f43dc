/**
 * Requests are validated by ajv, in two steps. The first validator stops at the first fault; it is all that a good
 * request meets. Only for a refused request a second one collects the faults, so that a client sees them together. It
 * does so only for requests of moderate size and reports a bounded number, because each fault found costs memory and
 * a body of a megabyte can hold half a million of them.
 *
 * Bodies are taken as they are: no value is coerced, no member removed, and an object refuses members that its schema
 * does not name. Query, path and headers are text by nature, so there numbers and flags are read from text.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'
import { type FieldError, type Problem, problem } from './problem.ts'

type Part = NonNullable<FieldError['in']>

/** What a refused request is reported with; carries the finished problem to the error handler. */
export class InvalidRequest extends Error {
  readonly refusal: Problem

  constructor(refusal: Problem) {
    super(refusal.message)
    this.refusal = refusal
  }
}

const reportedErrorsMax = 20
/** Values that a request may hold for all of its faults to be collected. */
const collectedValuesMax = 10_000

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const shared = {
  strict: true,
  // typebox's nullable fields, as `type: [x, 'null']`, serialise and validate without trying branches.
  allowUnionTypes: true,
  // 4.35 / 0.01 is 434.99999999999994; six digits of precision accept it and still refuse 4.355.
  multipleOfPrecision: 6,
  useDefaults: true,
  removeAdditional: false,
} as const

/** Creates the validator compiler that the server uses for every route. */
export function createValidatorCompiler(): FastifySchemaCompiler<FastifySchema> {
  const exact = { first: createAjv(false, false), all: createAjv(false, true) }
  const textual = { first: createAjv(true, false), all: createAjv(true, true) }
  return ({ schema, httpPart }) => {
    const part = partOf(httpPart)
    const { first, all } = part === 'body' ? exact : textual
    const isValid = first.compile(schema as object)
    let collect: ValidateFunction | undefined
    return (value: unknown) => {
      if (isValid(value)) return { value }
      let found = isValid.errors ?? []
      if (holdsAtMost(value, collectedValuesMax)) {
        // Compiled on the first fault only: most routes never need it.
        collect ??= all.compile(schema as object)
        if (!collect(value)) found = collect.errors ?? found
      }
      return { error: new InvalidRequest(refusalOf(found, part)) }
    }
  }
}

function createAjv(coerceTypes: boolean, allErrors: boolean): Ajv {
  const ajv = new Ajv({ ...shared, coerceTypes, allErrors })
  formats.default(ajv, ['date', 'date-time', 'uri', 'email'])
  // Ids are compared as text everywhere, so the one form that we write is the only one accepted.
  ajv.addFormat('uuid', uuidPattern)
  // An annotation for the OpenAPI document.
  ajv.addVocabulary(['example'])
  return ajv
}

function partOf(httpPart: string | undefined): Part {
  if (httpPart === 'querystring') return 'query'
  if (httpPart === 'params') return 'path'
  return httpPart === 'headers' ? 'header' : 'body'
}

function holdsAtMost(root: unknown, limit: number): boolean {
  const open: unknown[] = [root]
  let seen = 0
  while (open.length > 0) {
    const value = open.pop()
    seen += 1
    if (seen + open.length > limit) return false
    if (typeof value !== 'object' || value === null) continue
    for (const key in value) {
      open.push((value as Record<string, unknown>)[key])
      if (seen + open.length > limit) return false
    }
  }
  return true
}

function refusalOf(found: readonly ErrorObject[], part: Part): Problem {
  const errors = withoutBranches(found)
    .slice(0, reportedErrorsMax)
    .map((error) => fieldErrorOf(error, part))
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const detail = first === undefined ? 'the request is not valid' : `${first.field || part}: ${first.message}${more}`
  return problem('invalid-request', { detail, errors })
}

/**
 * A value that fits no branch of a union gives faults of every branch. Those of branches that are of another type
 * altogether say nothing: of "below the minimum" and "must be null", only the first is the client's fault.
 */
function withoutBranches(found: readonly ErrorObject[]): readonly ErrorObject[] {
  let errors = found
  for (const union of found.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf')) {
    const isBranch = (error: ErrorObject): boolean =>
      error !== union &&
      error.schemaPath.startsWith(`${union.schemaPath}/`) &&
      error.instancePath.startsWith(union.instancePath)
    const telling = errors.filter(
      (error) => isBranch(error) && !(error.keyword === 'type' && error.instancePath === union.instancePath),
    )
    errors = errors.filter((error) =>
      error === union ? telling.length === 0 : !isBranch(error) || telling.includes(error),
    )
  }
  return errors
}

function fieldErrorOf(error: ErrorObject, part: Part): FieldError {
  const { keyword, params } = error
  const path = error.instancePath.split('/').slice(1).map(unescapePointer)
  if (keyword === 'required') path.push(String(params.missingProperty))
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty))
  return { field: fieldPath(path), rule: keyword, message: messageOf(error), ...(part !== 'body' && { in: part }) }
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a known field'
    case 'enum':
      return `must be one of ${(params.allowedValues as readonly unknown[]).map(String).join(', ')}`
    case 'const':
      return `must be ${String(params.allowedValue)}`
    case 'format':
      return params.format === 'uuid' ? 'must be a lower-case UUID' : `must be a ${String(params.format)}`
    case 'anyOf':
    case 'oneOf':
      return 'has none of the accepted forms'
    default:
      return message ?? 'is not valid'
  }
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

function fieldPath(path: readonly string[]): string {
  return path.reduce((field, segment) => {
    if (/^\d+$/.test(segment)) return `${field}[${segment}]`
    return field === '' ? segment.slice(0, 100) : `${field}.${segment.slice(0, 100)}`
  }, '')
}

/**
 * A copy of a schema in which every object that names its members refuses others. Where members come from several
 * schemas together (`allOf`) the author has to say so himself.
 */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy: Record<string, unknown> = {}
  for (const [keyword, inner] of Object.entries(schema)) copy[keyword] = closedKeyword(keyword, inner)
  if (isObjectSchema(copy) && copy.additionalProperties === undefined) copy.additionalProperties = false
  return copy
}

function closedKeyword(keyword: string, inner: unknown): unknown {
  if (keyword === 'properties' && typeof inner === 'object' && inner !== null) {
    return Object.fromEntries(Object.entries(inner).map(([name, member]) => [name, closed(member)]))
  }
  return ['items', 'prefixItems', 'anyOf', 'oneOf'].includes(keyword) ? closed(inner) : inner
}

function isObjectSchema(schema: Record<string, unknown>): boolean {
  return schema.properties !== undefined && schema.patternProperties === undefined && schema.allOf === undefined
}
