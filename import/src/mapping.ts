/**
 * The mapping as its author writes it, and the checks that need no data: the JSON Schema beside this package, then the
 * rules that a schema cannot say. All faults are reported together, each with the place in the mapping it is about.
 */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { IANAZone } from 'luxon'
import { compareDecimals, type Decimal, parseDecimal, platformRating, type RatingScale } from './decimal.ts'
import { ImportError, messageOf } from './import-error.ts'
import type { TableFormat } from './table.ts'

export type Value =
  | { readonly column: string; readonly occurrence?: number; readonly in?: string }
  | { readonly columnNumber: number; readonly in?: string }
  | { readonly constant: string | number }
  | { readonly firstOf: readonly Value[] }

export interface Join {
  readonly file: string
  readonly source?: TableFormat
  readonly on: readonly Value[]
  readonly key: readonly Value[]
}

export interface Mapping {
  readonly namespace: string
  readonly source?: TableFormat
  readonly joins?: Readonly<Record<string, Join>>
  readonly rowId?: Value
  readonly user: { readonly key: readonly Value[]; readonly username?: Value; readonly displayName?: Value }
  readonly restaurant: {
    readonly key: readonly Value[]
    readonly name: Value
    readonly address?: Value
    readonly city?: Value
    readonly state?: Value
    readonly country?: Value
    readonly postalCode?: Value
    readonly cuisineTypes?: readonly Value[]
    readonly latitude?: Value
    readonly longitude?: Value
  }
  readonly dish: { readonly key: readonly Value[]; readonly name: Value; readonly type: Value }
  readonly menu?: { readonly price: Value }
  readonly rating?: {
    readonly value: Value
    readonly min?: number
    readonly max?: number
    readonly becomes?: { readonly min: number; readonly max: number }
  }
  readonly rank?: Value
  readonly time: { readonly value: Value; readonly format: string; readonly zone?: string }
  readonly notes?: Value
}

const schema = JSON.parse(readFileSync(new URL('../mapping.schema.json', import.meta.url), 'utf8')) as object
const matchesSchema = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile<Mapping>(
  schema,
)

export function readMapping(path: string): Mapping {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new ImportError('mapping', `mapping ${path}: ${messageOf(error)}`, { cause: error })
  }
  try {
    return checkMapping(content)
  } catch (error) {
    throw new ImportError('mapping', `mapping ${path} is not valid:\n${messageOf(error)}`, { cause: error })
  }
}

/** The mapping, when it is one; otherwise an ImportError with a line for each fault. */
export function checkMapping(content: unknown): Mapping {
  if (!matchesSchema(content)) throw faultsError(schemaFaults(matchesSchema.errors ?? []))
  const faults = [...joinFaults(content), ...ratingFaults(content), ...zoneFaults(content)]
  if (faults.length > 0) throw faultsError(faults)
  return { ...content, namespace: content.namespace.toLowerCase() }
}

/** The scale of the mapping's ratings; undefined when it has none. */
export function ratingScaleOf(mapping: Mapping): RatingScale | undefined {
  if (mapping.rating === undefined) return undefined
  const { min, max, becomes } = mapping.rating
  const range = { min: decimal(min ?? platformRating.min), max: decimal(max ?? platformRating.max) }
  if (becomes === undefined) return range
  return { ...range, becomes: { min: decimal(becomes.min), max: decimal(becomes.max) } }
}

function decimal(value: number | string): Decimal {
  const parsed = parseDecimal(String(value))
  if (parsed === undefined) throw new ImportError('mapping', `${value} is no number that a scale can have`)
  return parsed
}

function faultsError(faults: readonly string[]): ImportError {
  return new ImportError('mapping', [...new Set(faults)].map((fault) => `  ${fault}`).join('\n'))
}

function schemaFaults(errors: readonly ErrorObject[]): string[] {
  // The branches of a choice fail one by one; only the choice itself says something to a person.
  const told = errors.filter(({ schemaPath }) => !/\/(oneOf|anyOf)\/\d+\//.test(schemaPath))
  return told.map((error) => `${error.instancePath === '' ? '(top)' : error.instancePath}: ${schemaFault(error)}`)
}

function schemaFault({ keyword, params, message }: ErrorObject): string {
  if (keyword === 'oneOf')
    return 'must say in exactly one way where the value comes from: column, columnNumber, constant or firstOf'
  if (keyword === 'anyOf') return 'must have a rating or a rank'
  if (keyword === 'additionalProperties') return `has no property "${params.additionalProperty}"`
  if (keyword === 'required') return `lacks "${params.missingProperty}"`
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`
  if (keyword === 'pattern') return 'must be a UUID'
  return message ?? `breaks the rule ${keyword}`
}

function joinFaults(mapping: Mapping): string[] {
  const names = Object.keys(mapping.joins ?? {})
  const faults: string[] = []
  const { joins, ...own } = mapping
  for (const { place, join } of joinsUsed(own, '')) {
    if (!names.includes(join)) faults.push(`${place}: there is no join "${join}"`)
  }
  for (const { place } of joinsUsed(joins, '/joins')) faults.push(`${place}: a join's own values have no "in"`)
  return faults
}

function* joinsUsed(node: unknown, place: string): Generator<{ place: string; join: string }> {
  if (typeof node !== 'object' || node === null) return
  for (const [name, child] of Object.entries(node)) {
    if (name === 'in' && typeof child === 'string') yield { place, join: child }
    else yield* joinsUsed(child, `${place}/${name}`)
  }
}

function ratingFaults(mapping: Mapping): string[] {
  const scale = ratingScaleOf(mapping)
  if (scale === undefined) return []
  if (compareDecimals(scale.min, scale.max) >= 0) return ['/rating: min must be less than max']
  if (scale.becomes !== undefined) return []
  const isWithin =
    compareDecimals(scale.min, decimal(platformRating.min)) >= 0 &&
    compareDecimals(scale.max, decimal(platformRating.max)) <= 0
  return isWithin ? [] : ['/rating: a scale that is not within 0.5 to 5 needs "becomes"']
}

function zoneFaults(mapping: Mapping): string[] {
  const { zone } = mapping.time
  return zone === undefined || IANAZone.isValidZone(zone) ? [] : [`/time/zone: there is no time zone "${zone}"`]
}
