/**
 * Reads a table, row by row: CSV (RFC 4180 and its usual relatives) or newline-delimited JSON.
 *
 * A reader is told the columns that are wanted and hands over their cells in that order, each as text without blanks
 * at its ends; a JSON number is the text that the file has, not a float. The whole file passes through SHA-256 on the
 * way. A row has the number of the line it starts on, counted from 1, so that it is found in an editor even when cells
 * contain line breaks; blank lines are no rows.
 *
 * A row that cannot be a row (a wrong number of cells, broken JSON) is handed over with its fault. A file that cannot
 * be a table (not UTF-8, a quotation mark that is never closed) ends the reading with an ImportError.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { extname } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { parse } from 'csv-parse'
import { ImportError, messageOf } from './import-error.ts'

/** One column: by its header (the nth of that name, from 1), or by its number, from 1. */
export type ColumnRef =
  | { readonly column: string; readonly occurrence?: number | undefined }
  | { readonly columnNumber: number }

export interface TableFormat {
  readonly format?: 'csv' | 'ndjson'
  readonly delimiter?: string
  readonly header?: boolean
}

export type TableRow =
  | { readonly line: number; readonly cells: readonly string[] }
  | { readonly line: number; readonly fault: string }

export interface Table {
  /** May be iterated once. */
  readonly rows: AsyncIterable<TableRow>
  /** SHA-256 of the file in hex; known when the rows have been read to the end. */
  sha256(): string
}

export function openTable(path: string, format: TableFormat, columns: readonly ColumnRef[]): Table {
  const hash = createHash('sha256')
  const kind = format.format ?? formatOf(path)
  const rows = kind === 'csv' ? csvRows(path, format, columns, hash) : ndjsonRows(path, columns, hash)
  let digest: string | undefined
  return { rows, sha256: () => (digest ??= hash.digest('hex')) }
}

/** The name that a column is called by in messages. */
export function columnName(ref: ColumnRef): string {
  if ('columnNumber' in ref) return `column number ${ref.columnNumber}`
  return ref.occurrence === undefined ? `\`${ref.column}\`` : `\`${ref.column}\` (occurrence ${ref.occurrence})`
}

function formatOf(path: string): 'csv' | 'ndjson' {
  const extension = extname(path).toLowerCase()
  if (extension === '.csv') return 'csv'
  if (extension === '.ndjson' || extension === '.jsonl') return 'ndjson'
  throw new ImportError(
    'usage',
    `${path}: the name ends in neither .csv nor .ndjson; say which it is in the mapping's "source.format"`,
  )
}

async function* textOf(path: string, hash: Hash): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytesRead = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const bytes = chunk as Buffer
      hash.update(bytes)
      yield decoder.decode(bytes, { stream: true })
      bytesRead += bytes.length
    }
    yield decoder.decode()
  } catch (error) {
    if (error instanceof TypeError) {
      throw new ImportError('unreadable-file', `${path}: not UTF-8 (after byte ${bytesRead})`, { cause: error })
    }
    throw new ImportError('unreadable-file', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

async function* csvRows(
  path: string,
  format: TableFormat,
  columns: readonly ColumnRef[],
  hash: Hash,
): AsyncGenerator<TableRow> {
  const hasHeader = format.header ?? true
  let picked: readonly number[] | undefined
  let width = 0
  for await (const { line, record } of csvRecords(path, format, hash)) {
    if (picked === undefined) {
      width = record.length
      picked = columns.map((ref) => (hasHeader ? indexInHeader(path, ref, record) : indexByNumber(path, ref, width)))
      if (hasHeader) continue
    }
    if (record.length !== width) {
      yield { line, fault: `${record.length} cells where there are ${width} columns` }
    } else {
      yield { line, cells: picked.map((index) => (record[index] ?? '').trim()) }
    }
  }
  if (picked === undefined && hasHeader) throw new ImportError('unreadable-file', `${path}: empty, it has no header`)
}

/** The parser's own count of lines counts CRLF inside quotation marks twice; here lines are counted from the cells. */
async function* csvRecords(
  path: string,
  format: TableFormat,
  hash: Hash,
): AsyncGenerator<{ line: number; record: readonly string[] }> {
  const parser = parse({
    delimiter: format.delimiter ?? ',',
    info: true,
    relax_column_count: true, // a short row is a rejected row, not the end of the file
    relax_quotes: true, // a quotation mark inside a bare cell is a character like any other
    skip_empty_lines: true,
  })
  pipeline(Readable.from(textOf(path, hash)), parser, () => undefined)
  let nextLine = 1
  let emptyLines = 0
  try {
    for await (const parsed of parser) {
      const { record, info } = parsed as { record: string[]; info: { empty_lines: number } }
      nextLine += info.empty_lines - emptyLines
      emptyLines = info.empty_lines
      yield { line: nextLine, record }
      nextLine += 1 + lineBreaksIn(record)
    }
  } catch (error) {
    if (error instanceof ImportError) throw error
    throw new ImportError(
      'unreadable-file',
      `${path}: ${messageOf(error)} (the last whole row ends before line ${nextLine})`,
      {
        cause: error,
      },
    )
  }
}

function lineBreaksIn(record: readonly string[]): number {
  let count = 0
  for (const cell of record) {
    if (cell.includes('\n') || cell.includes('\r')) count += cell.match(/\r\n|\r|\n/g)?.length ?? 0
  }
  return count
}

function indexInHeader(path: string, ref: ColumnRef, header: readonly string[]): number {
  if ('columnNumber' in ref) return indexByNumber(path, ref, header.length)
  const found = header.flatMap((name, index) => (name.trim() === ref.column ? [index] : []))
  if (found.length === 0) {
    throw new ImportError(
      'mapping',
      `${path} has no column ${columnName(ref)}; it has: ${header.map((name) => name.trim()).join(', ')}`,
    )
  }
  if (found.length > 1 && ref.occurrence === undefined) {
    throw new ImportError('mapping', `${path} has ${found.length} columns \`${ref.column}\`; say which by "occurrence"`)
  }
  const index = found[(ref.occurrence ?? 1) - 1]
  if (index === undefined)
    throw new ImportError('mapping', `${path} has no column ${columnName(ref)}, only ${found.length} of that name`)
  return index
}

function indexByNumber(path: string, ref: ColumnRef, width: number): number {
  if (!('columnNumber' in ref))
    throw new ImportError('mapping', `${path} has no header, so ${columnName(ref)} must be given by its number`)
  if (ref.columnNumber > width)
    throw new ImportError('mapping', `${path} has no ${columnName(ref)}, only ${width} columns`)
  return ref.columnNumber - 1
}

async function* ndjsonRows(path: string, columns: readonly ColumnRef[], hash: Hash): AsyncGenerator<TableRow> {
  const names = columns.map((ref) => {
    if ('columnNumber' in ref || ref.occurrence !== undefined) {
      throw new ImportError('mapping', `${path}: ${columnName(ref)} has no meaning in JSON; name the field`)
    }
    return ref.column
  })
  let line = 0
  for await (const text of linesOf(textOf(path, hash))) {
    line++
    if (text.trim() !== '') yield ndjsonRow(line, text, names)
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
}

function ndjsonRow(line: number, text: string, names: readonly string[]): TableRow {
  let value: unknown
  try {
    value = JSON.parse(text, numbersAsWritten)
  } catch (error) {
    return { line, fault: `not JSON: ${messageOf(error)}` }
  }
  if (!isObject(value)) return { line, fault: 'not a JSON object' }
  const cells: string[] = []
  for (const name of names) {
    const cell = fieldOf(value, name)
    if (typeof cell === 'object' && cell !== null) return { line, fault: `\`${name}\` is no single value` }
    cells.push(cell === null || cell === undefined ? '' : String(cell).trim())
  }
  return { line, cells }
}

function numbersAsWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? context.source : value
}

/** The field of that very name, or else the nested field that the name's dots lead to. */
function fieldOf(value: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(value, name)) return value[name]
  let current: unknown = value
  for (const step of name.split('.')) {
    if (!isObject(current) || !Object.hasOwn(current, step)) return undefined
    current = current[step]
  }
  return current
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
