/**
 * One import, from the file to its report.
 *
 * 1. The mapping is checked and the whole file read; every row is planned or rejected. Whatever makes this impossible is
 *    thrown: nothing has been sent yet.
 * 2. People, places and dishes are created where they are missing.
 * 3. The rows are sent in event-time order.
 *
 * From step 2 on the import always ends in a report. It is safe to run an import again at any time, beside itself too: all
 * ids are derived from the file and the mapping, entities are only created, and the API knows a command that it has seen.
 */
import { createApiClient, type Verdict } from './api-client.ts'
import { Catalogue, type CatalogueIds, catalogueIds, catalogueSize } from './catalogue.ts'
import { dispatch } from './dispatch.ts'
import { commandId } from './identity.ts'
import { ImportError } from './import-error.ts'
import { readMapping } from './mapping.ts'
import { type Plan, type PlannedRow, planImport, type RejectedRow } from './plan.ts'
import { type Progress, silentProgress } from './progress.ts'
import { countByReason, type ImportReport } from './report.ts'

export interface ImportOptions {
  readonly file: string
  readonly mappingPath: string
  readonly baseUrl: string
  /** A token of the role `service`; not needed for a dry run. */
  readonly token: string
  /** Batches on their way at once. */
  readonly concurrency: number
  /** How long one request may be in trouble before the import stops. */
  readonly patienceMs: number
  readonly isDryRun?: boolean
  readonly progress?: Progress
  readonly signal?: AbortSignal
  readonly now?: () => number
}

/** Small requests that wait on each other; past this they only queue in the server. */
const creationsAtOnce = 16

/** Runs an import. Throws an ImportError for what ends it before anything is sent. */
export async function importFile(options: ImportOptions): Promise<ImportReport> {
  const startedAtMs = performance.now()
  const progress = options.progress ?? silentProgress
  const mapping = readMapping(options.mappingPath)
  progress.begin('reading rows')
  const plan = await planImport({
    file: options.file,
    mapping,
    mappingPath: options.mappingPath,
    nowMs: (options.now ?? Date.now)(),
    onRow: () => progress.advance(1),
  })
  progress.end()
  const run = new ImportRun(plan, options, progress)
  if (options.isDryRun !== true) await run.send()
  return run.report(performance.now() - startedAtMs)
}

class ImportRun {
  readonly #plan: Plan
  readonly #options: ImportOptions
  readonly #progress: Progress
  readonly #ids: CatalogueIds
  readonly #catalogue: Catalogue
  readonly #counts = { applied: 0, unchanged: 0, repeated: 0 }
  readonly #rejected: RejectedRow[]
  #sendingMs = 0
  #stoppedBecause: string | null = null

  constructor(plan: Plan, options: ImportOptions, progress: Progress) {
    this.#plan = plan
    this.#options = options
    this.#progress = progress
    this.#ids = catalogueIds(plan)
    this.#catalogue = new Catalogue(plan, this.#ids)
    this.#rejected = [...plan.rejected]
  }

  async send(): Promise<void> {
    const { baseUrl, token, patienceMs, concurrency, signal } = this.#options
    const connectionsMax = Math.max(concurrency, creationsAtOnce)
    const client = createApiClient({
      baseUrl,
      token,
      patienceMs,
      connectionsMax,
      ...(signal === undefined ? {} : { signal }),
    })
    try {
      this.#progress.begin('people, places and dishes', catalogueSize(this.#plan))
      await this.#catalogue.create(client, { requestsMax: creationsAtOnce, onCreated: () => this.#progress.advance(1) })
      this.#progress.end()
      const rows = this.#rowsThatCanBeRanked()
      this.#progress.begin('rankings', rows.length)
      const startedAtMs = performance.now()
      await dispatch({
        rows,
        client,
        patienceMs,
        inFlightMax: concurrency,
        commandOf: (row) => this.#commandOf(row),
        onVerdict: (row, verdict) => this.#record(row, verdict),
        ...(signal === undefined ? {} : { signal }),
      }).finally(() => {
        this.#sendingMs = performance.now() - startedAtMs
      })
    } catch (error) {
      if (!(error instanceof ImportError && error.code === 'stopped')) throw error
      this.#stoppedBecause = error.message
    } finally {
      this.#progress.end()
      await client.close()
    }
  }

  report(durationMs: number): ImportReport {
    const { rowsRead, fileSha256, ratingsRounded } = this.#plan
    const { applied: accepted, unchanged, repeated } = this.#counts
    const rejectedRows = this.#rejected.toSorted((left, right) => left.line - right.line)
    const decided = accepted + unchanged + repeated
    const isDryRun = this.#options.isDryRun === true
    return {
      file: this.#options.file,
      fileSha256,
      isFinished: !isDryRun && this.#stoppedBecause === null,
      isDryRun,
      stoppedBecause: this.#stoppedBecause,
      rowsRead,
      accepted,
      unchanged,
      repeated,
      rejected: rejectedRows.length,
      notSent: rowsRead - decided - rejectedRows.length,
      ratingsRounded,
      catalogue: this.#catalogue.counts,
      rejectedByReason: countByReason(rejectedRows),
      rejectedRows,
      durationMs: Math.round(durationMs),
      rowsPerSecond: this.#sendingMs > 0 ? Math.round((decided * 1000) / this.#sendingMs) : 0,
    }
  }

  #rowsThatCanBeRanked(): PlannedRow[] {
    return this.#plan.rows.filter((row) => {
      const detail = this.#catalogue.refusalFor(row)
      if (detail !== undefined) this.#rejected.push({ line: row.line, reason: 'refused', detail })
      return detail === undefined
    })
  }

  #commandOf(row: PlannedRow) {
    const { namespace, fileSha256 } = this.#plan
    return {
      type: 'put' as const,
      commandId: commandId(namespace, { rowId: row.rowId, fileSha256, line: row.line }),
      userId: this.#ids.users[row.user] ?? '',
      restaurantId: this.#ids.restaurants[row.restaurant] ?? '',
      dishId: this.#ids.dishes[row.dish] ?? '',
      ...(row.ratingHundredths === null ? {} : { rating: row.ratingHundredths / 100 }),
      ...(row.rank === null ? {} : { rank: row.rank }),
      ...(row.notes === null ? {} : { notes: row.notes }),
      rankedAt: new Date(row.timeMs).toISOString(),
    }
  }

  #record(row: PlannedRow, verdict: Verdict): void {
    this.#progress.advance(1)
    if (verdict.status === 'refused') this.#rejected.push({ line: row.line, reason: 'refused', detail: verdict.detail })
    else this.#counts[verdict.status]++
  }
}
