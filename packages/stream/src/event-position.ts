/** Where an event stands in its source's log. Comparable only within one source and epoch. */
export interface EventPosition {
  readonly source: string
  readonly epoch: bigint
  readonly xid: bigint
  readonly position: bigint
}

/** Names of the headers that the platform's own records carry. */
export const headerNames = {
  eventType: 'event-type',
  eventId: 'event-id',
  position: 'position',
  traceparent: 'traceparent',
  /** Present on records that were published again on purpose: they pass by the marks. */
  republished: 'republished',
} as const

interface Origin {
  readonly source: string
  readonly epoch: bigint
}

/** Source and epoch hardly ever change, so each spelling is parsed once; a spelling too many starts over. */
const origins = new Map<string, Origin>()
const originsMax = 256
const bigintMax = 2n ** 63n - 1n
const slash = 0x2f

/** The header value of a position: `<source>/<epoch>/<xid>/<position>`. */
export function formatPosition({ source, epoch, xid, position }: EventPosition): string {
  return `${source}/${epoch}/${xid}/${position}`
}

/** Reads what `formatPosition` wrote; undefined when it is anything else. */
export function parsePosition(header: Buffer): EventPosition | undefined {
  const third = header.lastIndexOf(slash)
  const second = third < 1 ? -1 : header.lastIndexOf(slash, third - 1)
  if (second < 1) return undefined
  const origin = originOf(header.toString('latin1', 0, second))
  const xid = wholeNumber(header, second + 1, third)
  const position = wholeNumber(header, third + 1, header.length)
  if (origin === undefined || xid === undefined || position === undefined) return undefined
  return { source: origin.source, epoch: origin.epoch, xid, position }
}

function originOf(text: string): Origin | undefined {
  const known = origins.get(text)
  if (known !== undefined) return known
  const [, source, digits] = /^([a-z0-9-]{1,64})\/(\d{1,19})$/.exec(text) ?? []
  if (source === undefined || digits === undefined || BigInt(digits) > bigintMax) return undefined
  if (origins.size >= originsMax) origins.clear()
  const origin = { source, epoch: BigInt(digits) }
  origins.set(text, origin)
  return origin
}

/** Up to 15 digits are summed as a number, several times as fast as BigInt's own parsing. */
function wholeNumber(bytes: Buffer, start: number, end: number): bigint | undefined {
  if (end <= start || end - start > 19) return undefined
  let value = 0
  for (let index = start; index < end; index += 1) {
    const digit = (bytes[index] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  if (end - start <= 15) return BigInt(value)
  const exact = BigInt(bytes.toString('latin1', start, end))
  return exact <= bigintMax ? exact : undefined
}

/** Whether `a` is at or below `b`; both of one source and epoch. */
export function isAtOrBelow(
  a: Pick<EventPosition, 'xid' | 'position'>,
  b: Pick<EventPosition, 'xid' | 'position'>,
): boolean {
  return a.xid < b.xid || (a.xid === b.xid && a.position <= b.position)
}
