/**
 * Golden bytes: for each released version of each record a file with values and the bytes they were written as. They are
 * written once, by an explicit command, and never again: what was once published has to decode for ever.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import avsc from 'avsc'
import { incompatibilities, isSameSchema } from './compatibility.ts'

const directory = new URL('../golden/', import.meta.url)

export interface GoldenFile {
  readonly record: string
  readonly version: number
  readonly writerSchema: object
  readonly samples: readonly { readonly value: unknown; readonly bytes: string }[]
}

export interface ReleasedRecord {
  readonly record: string
  readonly schemaJson: string
}

/** All versions of a record, the oldest first. */
export function goldenFiles(record: string): readonly GoldenFile[] {
  const folder = new URL(`${shortName(record)}/`, directory)
  return entriesOf(folder)
    .map((name) => Number(basename(name, '.json')))
    .sort((left, right) => left - right)
    .map((version) => JSON.parse(readFileSync(new URL(`${version}.json`, folder), 'utf8'), reviveBytes) as GoldenFile)
}

/** Names of the records that have golden bytes. */
export function goldenRecords(): readonly string[] {
  return entriesOf(directory)
}

/** Why the current schema may not stand: incompatible with a released version, or not released itself. */
export function releaseFaults({ record, schemaJson }: ReleasedRecord): readonly string[] {
  const versions = goldenFiles(record)
  const faults = versions.flatMap(({ version, writerSchema }) =>
    incompatibilities(schemaJson, JSON.stringify(writerSchema)).map(
      (fault) => `${record}, version ${version}: ${fault}`,
    ),
  )
  const newest = versions.at(-1)
  const isReleased = newest !== undefined && isSameSchema(schemaJson, JSON.stringify(newest.writerSchema))
  if (isReleased) return faults
  return [...faults, `${record} has changed since its last release: run \`npm run generate -- --release <version>\``]
}

/**
 * Writes the golden bytes of each record that has changed since its last release. Returns the files written.
 * @throws Error when a record is not compatible with a released version, or has this version already.
 */
export function release(version: number, records: readonly ReleasedRecord[]): readonly string[] {
  return records.flatMap(({ record, schemaJson }) => {
    const versions = goldenFiles(record)
    for (const earlier of versions) {
      const [fault] = incompatibilities(schemaJson, JSON.stringify(earlier.writerSchema))
      if (fault) throw new Error(`${record} cannot be released: version ${earlier.version}: ${fault}`)
    }
    const newest = versions.at(-1)
    if (newest && isSameSchema(schemaJson, JSON.stringify(newest.writerSchema))) return []
    if (newest && newest.version >= version) {
      throw new Error(`${record} was released as version ${newest.version}: choose a higher one`)
    }
    const file = `${shortName(record)}/${version}.json`
    mkdirSync(new URL(`${shortName(record)}/`, directory), { recursive: true })
    writeFileSync(new URL(file, directory), content(version, record, schemaJson), { flag: 'wx' })
    return [`golden/${file}`]
  })
}

function content(version: number, record: string, schemaJson: string): string {
  const type = avsc.Type.forSchema(JSON.parse(schemaJson))
  const samples = (['full', 'sparse'] as const).map((fill) => {
    const value = sampleOf(type, fill, shortName(record))
    return { value, bytes: type.toBuffer(value).toString('hex') }
  })
  const golden: GoldenFile = { record, version, writerSchema: JSON.parse(schemaJson) as object, samples }
  return `${JSON.stringify(golden, hexBytes, 2)}\n`
}

/** A value with every field filled, or with as little as the type allows. */
function sampleOf(type: avsc.Type, fill: 'full' | 'sparse', name: string): unknown {
  const isFull = fill === 'full'
  switch (type.typeName) {
    case 'boolean':
      return isFull
    case 'int':
      return isFull ? 200 + name.length : 0
    case 'long':
      return isFull ? 1_700_000_000_000 + name.length : -1
    case 'string':
      return isFull ? `${name} – ñ 漢 🌮` : ''
    case 'bytes':
      return Buffer.from(isFull ? [0, 1, 127, 128, 255, name.length] : [])
    case 'enum':
      return (type as avsc.types.EnumType).symbols.at(isFull ? -1 : 0)
    case 'array':
      return isFull ? [0, 1].map((at) => sampleOf((type as avsc.types.ArrayType).itemsType, fill, `${name} ${at}`)) : []
    case 'union:unwrapped': {
      const other = (type as avsc.types.UnwrappedUnionType).types.find((branch) => branch.typeName !== 'null')
      return isFull && other ? sampleOf(other, fill, name) : null
    }
    case 'record':
      return Object.fromEntries(
        (type as avsc.types.RecordType).fields.map((field) => [field.name, sampleOf(field.type, fill, field.name)]),
      )
    default:
      throw new TypeError(`There is no sample of Avro's ${type.typeName} yet (${name})`)
  }
}

interface JsonBytes {
  readonly type: 'Buffer'
  readonly data: readonly number[]
}

/** JSON.stringify sees a Buffer as its own JSON; the file has `{"hex": "…"}`. */
function hexBytes(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'Buffer') return value
  return { hex: Buffer.from((value as JsonBytes).data).toString('hex') }
}

function reviveBytes(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('hex' in value)) return value
  return Buffer.from(String(value.hex), 'hex')
}

function shortName(record: string): string {
  return record.slice(record.lastIndexOf('.') + 1)
}

function entriesOf(folder: URL): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
