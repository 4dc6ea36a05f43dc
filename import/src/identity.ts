/**
 * Who is who. An entity's id is a UUIDv5 in the mapping's namespace, so that two imports of the same people and places
 * meet, on any machine, without asking anyone.
 *
 * The name under the namespace is `user:`, `restaurant:` or `dish:` and the key: each part in Unicode's composed form
 * (NFC), without blanks at its ends, every run of white space one space, in lower case (of no particular locale), the
 * parts joined by `|`. A command's name is `row:` and the row's id as written, without blanks at its ends; where a row
 * has no id, `row:` and the file's SHA-256 (hex) and the line number, joined by `|`.
 */
import { v5 } from 'uuid'

export type EntityKind = 'user' | 'restaurant' | 'dish'

/** One part of a key in the form in which two spellings of it are the same. */
export function normaliseKeyPart(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/gu, ' ').toLowerCase()
}

/** The normalised key of an entity; undefined when every part is blank. */
export function keyOf(parts: readonly string[]): string | undefined {
  const normalised = parts.map(normaliseKeyPart)
  return normalised.every((part) => part === '') ? undefined : normalised.join('|')
}

export function entityId(namespace: string, kind: EntityKind, key: string): string {
  return v5(`${kind}:${key}`, namespace)
}

/** The id of a row's command: the same row sent again has the same id. */
export function commandId(namespace: string, row: { rowId: string | null; fileSha256: string; line: number }): string {
  return v5(row.rowId === null ? `row:${row.fileSha256}|${row.line}` : `row:${row.rowId}`, namespace)
}
