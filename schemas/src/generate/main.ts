/**
 * npm run generate                        writes src/generated/*.ts and EVENTS.md from the sources
 * npm run generate -- --check             writes nothing; fails when a file differs from what would be written, or a
 *                                         released record from its last release
 * npm run generate -- --release <version> adds golden bytes of each released record that changed since its last release
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { release, releaseFaults } from '../golden.ts'
import { emitTypeScript } from './emit.ts'
import { emitEventsDocument } from './events-document.ts'
import { packageRoot, readSources, type Sources } from './sources.ts'

const { values: options } = parseArgs({ options: { check: { type: 'boolean' }, release: { type: 'string' } } })
const sources = readSources()

if (options.check) {
  const stale = Object.entries(outputs(sources)).filter(([path, content]) => contentOf(path) !== content)
  for (const [path] of stale) process.stderr.write(`schemas/${path} is stale: run \`npm run generate\` and commit it\n`)
  const faults = releasedRecords().flatMap(releaseFaults)
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  process.exitCode = stale.length + faults.length > 0 ? 1 : 0
} else if (options.release !== undefined) {
  if (!/^[1-9]\d{0,5}$/.test(options.release)) throw new Error('--release takes a whole number from 1')
  const files = release(Number(options.release), releasedRecords())
  process.stdout.write(
    files.length > 0 ? files.map((file) => `wrote schemas/${file}\n`).join('') : 'nothing has changed\n',
  )
} else {
  mkdirSync(new URL('src/generated/', packageRoot), { recursive: true })
  for (const [path, content] of Object.entries(outputs(sources))) {
    if (contentOf(path) === content) continue
    writeFileSync(new URL(path, packageRoot), content)
    process.stdout.write(`wrote schemas/${path}\n`)
  }
}

function releasedRecords() {
  return sources.events
    .filter((event) => event.released)
    .map(({ record, schema }) => ({ record, schemaJson: JSON.stringify(schema) }))
}

/** Content of every generated file, by its path in the package. */
function outputs(from: Sources): Record<string, string> {
  const typeScript = Object.entries(emitTypeScript(from)).map(([name, content]) => [`src/generated/${name}`, content])
  return { ...Object.fromEntries(typeScript), 'EVENTS.md': emitEventsDocument(from) }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, packageRoot), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
