/** Reads of the public API for the screen: one JSON answer, or all items of a paged list. */
export interface ApiReader {
  /** The answer's body. Throws with the problem's title when it is no success. */
  get(path: string): Promise<unknown>
  /** The items under `member` of every page, at most `itemsMax`. */
  list(path: string, member: string, itemsMax: number): Promise<readonly unknown[]>
}

const timeoutMs = 5_000

export function createApiReader(baseUrl: string, token: string): ApiReader {
  const get = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${baseUrl}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${String(body.title ?? '')}`)
    return body
  }
  return {
    get,
    async list(path, member, itemsMax) {
      const items: unknown[] = []
      let cursor: string | undefined
      while (items.length < itemsMax) {
        const separator = path.includes('?') ? '&' : '?'
        const page = await get(cursor === undefined ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}`)
        items.push(...(Array.isArray(page[member]) ? page[member] : []))
        if (typeof page.nextCursor !== 'string') break
        cursor = page.nextCursor
      }
      return items.slice(0, itemsMax)
    },
  }
}
