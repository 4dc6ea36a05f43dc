import { randomBytes } from 'node:crypto'
import { readJson, writeWhole } from './layout.ts'

/** The password of one service's database role, made on first use and kept in a file of the owner's. */
export function secretOf(path: string, name: string): string {
  const known = readJson(path)
  const secrets: Record<string, unknown> = typeof known === 'object' && known !== null ? { ...known } : {}
  const secret = secrets[name]
  if (typeof secret === 'string' && secret !== '') return secret
  const made = randomBytes(24).toString('hex')
  writeWhole(path, `${JSON.stringify({ ...secrets, [name]: made }, undefined, 2)}\n`, 0o600)
  return made
}
