/** The command line of an import, and the one variable of the environment that it reads. All faults are told together. */
import { parseArgs } from 'node:util'
import { ImportError, messageOf } from './import-error.ts'

export interface ImportConfig {
  readonly file: string
  readonly mappingPath: string
  readonly baseUrl: string
  readonly token: string
  readonly concurrency: number
  readonly patienceMs: number
  readonly isDryRun: boolean
  readonly isJson: boolean
  readonly rejectsFile: string | undefined
}

export const defaultBaseUrl = 'http://127.0.0.1:8080'
const concurrencyMax = 16

export const help = `Imports a file of ratings through the public API.

  npm run import -- <file.csv|file.ndjson> --mapping <mapping.json> [options]

  --mapping <file>       says where each part of a ranking comes from (import/README.md)
  --base-url <url>       the API, ${defaultBaseUrl} by default
  --token <token>        a token of the role "service"; BELLYFED_TOKEN by default
  --concurrency <n>      batches on their way at once, 1 to ${concurrencyMax}, 2 by default
  --patience <seconds>   how long one request is tried again before the import stops, 120 by default
  --rejects <file>       writes the rejected rows there, one JSON object a line
  --json                 prints the report as one line of JSON
  --dry-run              reads and checks everything, sends nothing
  --help                 this text

Exit status: 0 every row was accepted or rejected; 1 nothing was sent (command line, mapping or file);
2 stopped on the way, run the same command again to carry on.`

/** The settings, or 'help' when that is what was asked for. */
export function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv): ImportConfig | 'help' {
  const { values, positionals } = parsedArgs(args)
  if (values.help === true) return 'help'
  const faults: string[] = []
  const [file, ...others] = positionals
  if (file === undefined) faults.push('the file is missing')
  if (others.length > 0) faults.push(`one file at a time, not also ${others.join(', ')}`)
  if (values.mapping === undefined) faults.push('--mapping is missing')
  const baseUrl = values['base-url'] ?? defaultBaseUrl
  if (!isHttpUrl(baseUrl)) faults.push(`--base-url ${baseUrl} is no http or https URL`)
  const isDryRun = values['dry-run'] === true
  const token = values.token ?? environment.BELLYFED_TOKEN ?? ''
  if (token === '' && !isDryRun) faults.push('--token or BELLYFED_TOKEN is missing (npm run token -- --role service)')
  const concurrency = wholeNumber('--concurrency', values.concurrency ?? '2', concurrencyMax, faults)
  const patienceSeconds = wholeNumber('--patience', values.patience ?? '120', 86_400, faults)
  if (file === undefined || values.mapping === undefined || faults.length > 0) throw usageError(faults)
  return {
    file,
    mappingPath: values.mapping,
    baseUrl,
    token,
    concurrency,
    patienceMs: patienceSeconds * 1000,
    isDryRun,
    isJson: values.json === true,
    rejectsFile: values.rejects,
  }
}

function parsedArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        mapping: { type: 'string' },
        'base-url': { type: 'string' },
        token: { type: 'string' },
        concurrency: { type: 'string' },
        patience: { type: 'string' },
        rejects: { type: 'string' },
        json: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw usageError([messageOf(error)])
  }
}

function wholeNumber(name: string, text: string, max: number, faults: string[]): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) faults.push(`${name} ${text} is not within 1 to ${max}`)
  return value
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function usageError(faults: readonly string[]): ImportError {
  return new ImportError('usage', `${faults.join('\n')}\n(--help says how)`)
}
