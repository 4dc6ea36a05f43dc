import type { PartName } from './parts.ts'

/** Asks vitest's main process (`global-setup.ts`) where a part is, from a worker. The first to ask has it started. */
export async function askForPart(partsUrl: string, name: PartName): Promise<string> {
  const response = await fetch(`${partsUrl}/${name}`)
  const body = await response.text()
  if (!response.ok) throw new Error(`${name} could not be started: ${body}`)
  return body
}
