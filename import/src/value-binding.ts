/**
 * Binds a mapping's values to columns. Binding comes before reading: it gathers which columns of which file are wanted,
 * so that a reader keeps only those. A bound value is a function from a row's cells to text; a cell that a joined file
 * does not have is blank.
 */
import { dirname, resolve } from 'node:path'
import { keyOf } from './identity.ts'
import type { Join, Mapping, Value } from './mapping.ts'
import { type ColumnRef, openTable } from './table.ts'

export type Read = (cells: readonly string[]) => string

/** The wanted columns of one file, in the order of a row's cells. */
class WantedColumns {
  readonly refs: ColumnRef[] = []
  readonly #slots = new Map<string, number>()

  slotOf(ref: ColumnRef): number {
    const name = JSON.stringify('columnNumber' in ref ? [ref.columnNumber] : [ref.column, ref.occurrence ?? 0])
    const known = this.#slots.get(name)
    if (known !== undefined) return known
    this.#slots.set(name, this.refs.length)
    return this.refs.push(ref) - 1
  }
}

interface JoinedFile {
  readonly join: Join
  readonly columns: WantedColumns
  readonly on: readonly Read[]
  readonly key: readonly Read[]
  readonly rows: Map<string, readonly string[]>
  /** The row last looked up: the values of one row ask one after the other. */
  latest: { cells: readonly string[] | undefined; found: readonly string[] | undefined }
}

export class ValueBinding {
  readonly #main = new WantedColumns()
  readonly #joins = new Map<string, JoinedFile>()

  constructor(mapping: Mapping) {
    for (const [name, join] of Object.entries(mapping.joins ?? {})) {
      const columns = new WantedColumns()
      this.#joins.set(name, {
        join,
        columns,
        on: join.on.map((value) => this.bind(value)),
        key: join.key.map((value) => this.#bindTo(value, columns)),
        rows: new Map(),
        latest: { cells: undefined, found: undefined },
      })
    }
  }

  /** Columns of the main file; complete when everything has been bound. */
  get columns(): readonly ColumnRef[] {
    return this.#main.refs
  }

  bind(value: Value): Read {
    return this.#bindTo(value, this.#main)
  }

  /** Reads the joined files, which lie where the mapping says. To be called once, when everything has been bound. */
  async loadJoins(mappingPath: string): Promise<void> {
    for (const file of this.#joins.values()) {
      const path = resolve(dirname(mappingPath), file.join.file)
      for await (const row of openTable(path, file.join.source ?? {}, file.columns.refs).rows) {
        if ('fault' in row) continue
        const key = keyOf(file.key.map((read) => read(row.cells)))
        if (key !== undefined && !file.rows.has(key)) file.rows.set(key, row.cells)
      }
    }
  }

  #bindTo(value: Value, columns: WantedColumns): Read {
    if ('constant' in value) {
      const text = String(value.constant).trim()
      return () => text
    }
    if ('firstOf' in value) {
      const reads = value.firstOf.map((each) => this.#bindTo(each, columns))
      return (cells) => firstFilled(reads, cells)
    }
    if (value.in !== undefined) return this.#bindToJoin(value, value.in)
    const slot = columns.slotOf(value)
    return (cells) => cells[slot] ?? ''
  }

  #bindToJoin(ref: ColumnRef, name: string): Read {
    const file = this.#joins.get(name)
    if (file === undefined) throw new Error(`no join ${name}`)
    const slot = file.columns.slotOf(ref)
    return (cells) => found(file, cells)?.[slot] ?? ''
  }
}

function firstFilled(reads: readonly Read[], cells: readonly string[]): string {
  for (const read of reads) {
    const text = read(cells)
    if (text !== '') return text
  }
  return ''
}

function found(file: JoinedFile, cells: readonly string[]): readonly string[] | undefined {
  if (file.latest.cells !== cells) {
    const key = keyOf(file.on.map((read) => read(cells)))
    file.latest = { cells, found: key === undefined ? undefined : file.rows.get(key) }
  }
  return file.latest.found
}
