/**
 * The whole file in memory, in the order in which it will be sent.
 *
 * Rows come out in event-time order, those of one time in the order of the file. An entity's facts are those of its
 * first accepted row in that same order. Rows hold numbers into the lists of entities instead of ids and names, so that
 * a million of them fit.
 */
import type { Mapping } from './mapping.ts'
import {
  createRowReader,
  type DishFacts,
  type MenuFacts,
  type RankedRow,
  type Rejection,
  type RestaurantFacts,
  type UserFacts,
} from './row.ts'
import { openTable } from './table.ts'
import { ValueBinding } from './value-binding.ts'

export interface Entity<Facts> {
  readonly key: string
  /** Time and line of the row that the facts are from. */
  timeMs: number
  facts: Facts
}

export interface MenuEntry {
  readonly restaurant: number
  readonly dish: number
  timeMs: number
  facts: MenuFacts
}

/** A row to send. `user`, `restaurant`, `dish` and `menu` count into the plan's lists. */
export interface PlannedRow {
  readonly line: number
  readonly rowId: string | null
  readonly timeMs: number
  readonly ratingHundredths: number | null
  readonly rank: number | null
  readonly notes: string | null
  readonly user: number
  readonly restaurant: number
  readonly dish: number
  readonly menu: number
}

export interface RejectedRow extends Rejection {
  readonly line: number
}

export interface Plan {
  readonly namespace: string
  readonly fileSha256: string
  readonly rowsRead: number
  /** In event-time order. */
  readonly rows: readonly PlannedRow[]
  /** In the order of the file. */
  readonly rejected: readonly RejectedRow[]
  /** Of `rows`, those whose rating was finer than 0.01. */
  readonly ratingsRounded: number
  readonly users: readonly Entity<UserFacts>[]
  readonly restaurants: readonly Entity<RestaurantFacts>[]
  readonly dishes: readonly Entity<DishFacts>[]
  readonly menu: readonly MenuEntry[]
}

export interface PlanOptions {
  readonly file: string
  readonly mapping: Mapping
  /** Paths of joined files are seen from here. */
  readonly mappingPath: string
  readonly nowMs: number
  readonly onRow?: (rowsRead: number) => void
}

/** Entities of one kind, each with the facts of its earliest row. */
class Entities<Facts> {
  readonly list: Entity<Facts>[] = []
  readonly #indexes = new Map<string, number>()

  /** Rows of one entity come in the order of the file, so an equal time never wins. */
  add(key: string, timeMs: number, facts: Facts): number {
    const known = this.#indexes.get(key)
    if (known === undefined) {
      this.#indexes.set(key, this.list.length)
      return this.list.push({ key, timeMs, facts }) - 1
    }
    const entity = this.list[known]
    if (entity !== undefined && timeMs < entity.timeMs) {
      entity.timeMs = timeMs
      entity.facts = facts
    }
    return known
  }
}

class Menu {
  readonly list: MenuEntry[] = []
  /** By restaurant, then by dish. */
  readonly #indexes: Map<number, number>[] = []

  add(restaurant: number, dish: number, timeMs: number, facts: MenuFacts): number {
    const dishes = this.#indexes[restaurant] ?? new Map<number, number>()
    this.#indexes[restaurant] = dishes
    const known = dishes.get(dish)
    if (known === undefined) {
      dishes.set(dish, this.list.length)
      return this.list.push({ restaurant, dish, timeMs, facts }) - 1
    }
    const entry = this.list[known]
    if (entry !== undefined && timeMs < entry.timeMs) {
      entry.timeMs = timeMs
      entry.facts = facts
    }
    return known
  }
}

class Collector {
  readonly users = new Entities<UserFacts>()
  readonly restaurants = new Entities<RestaurantFacts>()
  readonly dishes = new Entities<DishFacts>()
  readonly menu = new Menu()
  readonly rows: PlannedRow[] = []
  ratingsRounded = 0

  add(line: number, row: RankedRow): void {
    const user = this.users.add(row.user.key, row.timeMs, row.user.facts)
    const restaurant = this.restaurants.add(row.restaurant.key, row.timeMs, row.restaurant.facts)
    const dish = this.dishes.add(row.dish.key, row.timeMs, row.dish.facts)
    const menu = this.menu.add(restaurant, dish, row.timeMs, row.menu)
    const { rowId, timeMs, ratingHundredths, rank, notes } = row
    this.rows.push({ line, rowId, timeMs, ratingHundredths, rank, notes, user, restaurant, dish, menu })
    if (row.isRatingRounded) this.ratingsRounded++
  }
}

/** Reads the file to its end. Nothing is sent. */
export async function planImport(options: PlanOptions): Promise<Plan> {
  const binding = new ValueBinding(options.mapping)
  const readRow = createRowReader(options.mapping, binding)
  await binding.loadJoins(options.mappingPath)
  const table = openTable(options.file, options.mapping.source ?? {}, binding.columns)
  const collector = new Collector()
  const rejected: RejectedRow[] = []
  let rowsRead = 0
  for await (const row of table.rows) {
    rowsRead++
    options.onRow?.(rowsRead)
    if ('fault' in row) {
      rejected.push({ line: row.line, reason: 'malformed-row', detail: row.fault })
      continue
    }
    const read = readRow(row.cells, options.nowMs)
    if ('reason' in read) rejected.push({ line: row.line, ...read })
    else collector.add(row.line, read)
  }
  collector.rows.sort((left, right) => left.timeMs - right.timeMs) // stable, so ties stay in the order of the file
  return {
    namespace: options.mapping.namespace,
    fileSha256: table.sha256(),
    rowsRead,
    rows: collector.rows,
    rejected,
    ratingsRounded: collector.ratingsRounded,
    users: collector.users.list,
    restaurants: collector.restaurants.list,
    dishes: collector.dishes.list,
    menu: collector.menu.list,
  }
}
