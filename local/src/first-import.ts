import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signLocalToken } from './keys.ts'
import { type Layout, writeWhole } from './layout.ts'
import type { LogBook } from './log-book.ts'
import { runProgram } from './service-process.ts'
import type { PlatformDefinition } from './services.ts'

/**
 * The ratings that come with the project, imported through the public API on the first start. The mark that it is done
 * is written last: an interrupted import is carried on by the next start, and what was accepted is not repeated.
 */
export async function importBundledRatings(options: {
  readonly layout: Layout
  readonly definition: PlatformDefinition
  readonly apiUrl: string | undefined
  readonly logBook: LogBook
  readonly tell: (name: string, text: string) => void
}): Promise<void> {
  const { layout, definition, apiUrl, logBook, tell } = options
  if (apiUrl === undefined || definition.bundledRatings.length === 0 || existsSync(layout.imported)) return
  const token = await signLocalToken(layout, { subject: 'local-import', role: 'service', expiresInSeconds: 86_400 })
  mkdirSync(layout.imports, { recursive: true })
  for (const { name, file, mapping } of definition.bundledRatings) {
    tell('import', `${file} …`)
    let report: ImportCounts | undefined
    await runProgram(
      {
        name: 'import',
        entry: definition.importEntry,
        args: [
          file,
          '--mapping',
          mapping,
          '--base-url',
          apiUrl,
          '--json',
          '--rejects',
          join(layout.imports, `${name}.rejected.ndjson`),
        ],
        environment: { BELLYFED_TOKEN: token },
        layout,
        onLine: (line) => {
          logBook.write('import', line)
          report = readCounts(line) ?? report
        },
      },
      importTimeoutMs,
    )
    tell('import', report === undefined ? `${file} done` : describe(file, report))
  }
  writeWhole(layout.imported, `${JSON.stringify({ files: definition.bundledRatings.map(({ file }) => file) })}\n`)
}

const importTimeoutMs = 10 * 60_000

interface ImportCounts {
  readonly rowsRead: number
  readonly accepted: number
  readonly unchanged: number
  readonly repeated: number
  readonly rejected: number
}

function describe(file: string, counts: ImportCounts): string {
  const { rowsRead, accepted, unchanged, repeated, rejected } = counts
  return `${file}: ${rowsRead} rows = ${accepted} accepted + ${unchanged} unchanged + ${repeated} repeated + ${rejected} rejected`
}

/** The report among the lines of the import, or undefined for any other line. */
function readCounts(line: string): ImportCounts | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Partial<ImportCounts>
    return typeof value.rowsRead === 'number' ? (value as ImportCounts) : undefined
  } catch {
    return undefined
  }
}
