/**
 * One statement, one file, one name. The server parses and plans a named statement once per connection, so the name must
 * stand for one text for the life of a process: it is derived from both.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A statement prepared under its name. Unqualified tables: the pool's connections set `search_path`. */
export interface Statement {
  readonly name: string
  readonly text: string
}

// PostgreSQL cuts identifiers at 63 bytes; two long names must not become one.
const nameLengthMax = 63
const digestLength = 10

function nameOf(label: string, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, digestLength)
  return `${label.slice(0, nameLengthMax - digestLength - 1)}_${digest}`
}

/**
 * Reads one `.sql` file, once, when the module is loaded.
 * `statement(import.meta.url, '../sql/insert-history.sql')` is right from both `src/` and `dist/`.
 */
export function statement(moduleUrl: string, relativePath: string): Statement {
  const path = fileURLToPath(new URL(relativePath, moduleUrl))
  const text = readFileSync(path, 'utf8')
  return { name: nameOf(basename(path, '.sql'), text), text }
}

/** A statement given as text: for tests, tools and statements of a few words. */
export function inlineStatement(name: string, text: string): Statement {
  return { name: nameOf(name, text), text }
}
