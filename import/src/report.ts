/** What became of every row of the file, and how it is told. */
import type { CatalogueCounts } from './catalogue.ts'
import type { RejectedRow } from './plan.ts'
import type { RejectReason } from './row.ts'

/** `rowsRead = accepted + unchanged + repeated + rejected + notSent`, always. */
export interface ImportReport {
  readonly file: string
  readonly fileSha256: string
  /** Every row has its verdict. */
  readonly isFinished: boolean
  readonly isDryRun: boolean
  readonly stoppedBecause: string | null
  readonly rowsRead: number
  /** Rankings that changed something. */
  readonly accepted: number
  /** Commands that were new but said what was so already. */
  readonly unchanged: number
  /** Commands that had been accepted before. */
  readonly repeated: number
  readonly rejected: number
  /** Rows without a verdict: of a dry run, or of an import that stopped. */
  readonly notSent: number
  /** Of the rows that were not rejected by what they say: ratings finer than 0.01, rounded half up. */
  readonly ratingsRounded: number
  readonly catalogue: CatalogueCounts
  readonly rejectedByReason: Readonly<Partial<Record<RejectReason, number>>>
  /** In the order of the file. */
  readonly rejectedRows: readonly RejectedRow[]
  readonly durationMs: number
  /** Rows with a verdict from the API, over the time that sending took. */
  readonly rowsPerSecond: number
}

export function countByReason(rows: readonly RejectedRow[]): Partial<Record<RejectReason, number>> {
  const counts: Partial<Record<RejectReason, number>> = {}
  for (const { reason } of rows) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

/** The report for people. The rejected rows are listed unless they go to a file of their own. */
export function describeReport(report: ImportReport, options: { rejectsFile: string | undefined }): string {
  const lines = [...rejectedLines(report, options.rejectsFile), '', countsLine(report)]
  if (report.ratingsRounded > 0)
    lines.push(`${count(report.ratingsRounded, 'rating')} finer than 0.01, rounded half up`)
  if (report.isDryRun) return [...lines, 'dry run: nothing was sent'].join('\n')
  lines.push(catalogueLine(report.catalogue))
  const seconds = (report.durationMs / 1000).toFixed(1)
  lines.push(`${seconds} s, ${Math.round(report.rowsPerSecond).toLocaleString('en')} rows/s while sending`)
  if (!report.isFinished) {
    lines.push('', `STOPPED: ${report.stoppedBecause ?? 'unknown'}`)
    lines.push('Run the same command again to carry on: what was accepted is recognised and not repeated.')
  }
  return lines.join('\n')
}

function rejectedLines(report: ImportReport, rejectsFile: string | undefined): string[] {
  if (report.rejected === 0) return []
  if (rejectsFile === undefined) {
    return [
      'rejected:',
      ...report.rejectedRows.map(({ line, reason, detail }) => `  line ${line}: ${reason}: ${detail}`),
    ]
  }
  const reasons = Object.entries(report.rejectedByReason).map(([reason, rows]) => `  ${rows} ${reason}`)
  return [`rejected, listed in ${rejectsFile}:`, ...reasons]
}

function countsLine(report: ImportReport): string {
  const parts = [
    `${report.accepted} accepted`,
    `${report.unchanged} unchanged`,
    `${report.repeated} repeated`,
    `${report.rejected} rejected`,
  ]
  if (report.notSent > 0) parts.push(`${report.notSent} not sent`)
  return `${count(report.rowsRead, 'row')} read = ${parts.join(' + ')}`
}

function catalogueLine({ users, restaurants, dishes, menuItems }: CatalogueCounts): string {
  const known = (kind: string, { created, existed }: { created: number; existed: number }) =>
    `${created + existed} ${kind} (${created} new)`
  return [
    known('users', users),
    known('restaurants', restaurants),
    known('dishes', dishes),
    known('menu items', menuItems),
  ].join(', ')
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}

/** One JSON object a line: line, reason, detail. */
export function rejectsAsNdjson(rows: readonly RejectedRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
