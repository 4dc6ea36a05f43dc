/**
 * What a README promises: its shell blocks, and the answers it shows for them.
 *
 * `<!-- run -->` (or `<!-- run: why or where -->`) on the line before a block of `sh` marks it as one to be run; a block
 * of `json` that follows, with nothing but blank lines between, is its answer as far as it is shown: the real answer may
 * have more keys and elements, and other values of the same kinds.
 */
export interface ReadmeBlock {
  /** The line of the fence that opens it, from 1. */
  readonly line: number
  readonly commands: string
  readonly isMarked: boolean
  /** Undefined when no answer is shown. */
  readonly answer: unknown
}

interface Fence {
  readonly line: number
  readonly language: string
  readonly content: string
  /** The lines between this block and the one before, without blank ones. */
  readonly before: readonly string[]
}

const marker = /^<!-- run(: .*)? -->$/

/** Every shell block, in order. Throws when an answer is no JSON, or a marker stands before something else. */
export function shellBlocksOf(markdown: string): ReadmeBlock[] {
  const fences = fencesOf(markdown)
  return fences.flatMap((fence, index) => {
    const isMarked = marker.test(fence.before.at(-1) ?? '')
    if (fence.language !== 'sh') {
      if (isMarked) throw new Error(`line ${fence.line}: only a block of sh can be run`)
      return []
    }
    const next = fences[index + 1]
    const hasAnswer = next?.language === 'json' && next.before.length === 0
    return [{ line: fence.line, commands: fence.content, isMarked, answer: hasAnswer ? parsed(next) : undefined }]
  })
}

function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = []
  let before: string[] = []
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open !== undefined && text.trim() === '```') {
      fences.push({ line: open.line, language: open.language, content: open.lines.join('\n'), before })
      before = []
      open = undefined
    } else if (open !== undefined) open.lines.push(text)
    else if (text.startsWith('```')) open = { line: index + 1, language: text.slice(3).trim(), lines: [] }
    else if (text.trim() !== '') before.push(text.trim())
  }
  if (open !== undefined) throw new Error(`line ${open.line}: the block is not closed`)
  return fences
}

function parsed({ line, content }: Fence): unknown {
  try {
    return JSON.parse(content)
  } catch (error) {
    throw new Error(`line ${line}: the answer shown is no JSON: ${String(error)}`)
  }
}

/** The JSON value at the end of what commands printed; other lines may precede it. Throws when there is none. */
export function answerIn(output: string): unknown {
  const lines = output.trim().split('\n')
  for (const [index, line] of lines.entries()) {
    if (!/^\s*[{[]/.test(line)) continue
    try {
      return JSON.parse(lines.slice(index).join('\n'))
    } catch {
      // A line that only looks like it; a later one may begin the answer.
    }
  }
  throw new Error(`no JSON at the end of:\n${output}`)
}

/**
 * In which places the real answer is not of the shape shown: a key or an element is missing, or a value is of another
 * kind. A null that is shown asks for the key alone.
 */
export function shapeFaults(shown: unknown, real: unknown, place = '$'): string[] {
  if (shown === null) return real === undefined ? [`${place} is missing`] : []
  if (kindOf(shown) !== kindOf(real)) return [`${place} is ${kindOf(real)}, not ${kindOf(shown)}`]
  if (Array.isArray(shown)) {
    return shown.flatMap((element, index) => shapeFaults(element, (real as unknown[])[index], `${place}[${index}]`))
  }
  if (typeof shown !== 'object') return []
  return Object.entries(shown as object).flatMap(([key, value]) =>
    shapeFaults(value, (real as Record<string, unknown>)[key], `${place}.${key}`),
  )
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
