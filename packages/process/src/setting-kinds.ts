import { readFileSync } from 'node:fs'
import { redactText } from './redaction.ts'

/** What reading one variable gave: the value, or the rule it breaks. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; rule: string }

/** The type and rule of one setting. Kinds are made by the functions of this file. */
export interface Kind<T> {
  /** The rule in words, for fault messages and the generated documentation. */
  readonly rule: string
  /** A secret's value appears in no message and no document. */
  readonly isSecret: boolean
  /** The value when the variable is absent or empty; `undefined` when it must be given. */
  readonly fallback: { readonly value: T; readonly text: string } | undefined
  parse(raw: string): Parsed<T>
  /** The raw value as a fault message may show it. */
  show(raw: string): string
}

const refuse = (rule: string): { ok: false; rule: string } => ({ ok: false, rule })
const accept = <T>(value: T): { ok: true; value: T } => ({ ok: true, value })

function kind<T>(
  rule: string,
  parse: (raw: string) => T | undefined,
  fallback: T | undefined,
  overrides: Partial<Kind<T>> = {},
): Kind<T> {
  return {
    rule,
    isSecret: false,
    fallback: fallback === undefined ? undefined : { value: fallback, text: textOf(fallback) },
    parse(raw) {
      const value = parse(raw)
      return value === undefined ? refuse(rule) : accept(value)
    },
    show: (raw) => JSON.stringify(redactText(raw)),
    ...overrides,
  }
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** Free text; with `pattern`, only what matches it as a whole. */
export function text(options: { default?: string; pattern?: RegExp } = {}): Kind<string> {
  const { pattern } = options
  const whole = pattern === undefined ? undefined : new RegExp(`^(?:${pattern.source})$`, pattern.flags)
  const rule = pattern === undefined ? 'text' : `text that matches ${pattern.source}`
  return kind(rule, (raw) => (whole === undefined || whole.test(raw) ? raw : undefined), options.default)
}

/** A whole number between `min` and `max`, both included, in decimal digits. */
export function integer(options: { min: number; max: number; default?: number }): Kind<number> {
  const rule = `a whole number from ${options.min} to ${options.max}`
  return kind(rule, (raw) => wholeNumber(raw, options.min, options.max), options.default)
}

/** A duration in whole milliseconds. */
export function durationMs(options: { min: number; max: number; default?: number }): Kind<number> {
  const rule = `whole milliseconds from ${options.min} to ${options.max}`
  return kind(rule, (raw) => wholeNumber(raw, options.min, options.max), options.default)
}

/** A TCP port; 0 lets the operating system choose. */
export function port(options: { default?: number } = {}): Kind<number> {
  return kind('a TCP port from 0 to 65535', (raw) => wholeNumber(raw, 0, 65_535), options.default)
}

function wholeNumber(raw: string, min: number, max: number): number | undefined {
  if (!/^-?\d{1,16}$/.test(raw)) return undefined
  const value = Number(raw)
  return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined
}

/** `true` or `false`, nothing else. */
export function flag(options: { default?: boolean } = {}): Kind<boolean> {
  const values = new Map([
    ['true', true],
    ['false', false],
  ])
  return kind('true or false', (raw) => values.get(raw), options.default)
}

/** One of a closed list of words. */
export function choice<const Words extends readonly string[]>(
  words: Words,
  options: { default?: Words[number] } = {},
): Kind<Words[number]> {
  return kind<Words[number]>(`one of ${words.join(', ')}`, (raw) => words.find((word) => word === raw), options.default)
}

/** A URL; with `schemes` (`['https', 'http']`) only these. Its password is never shown. */
export function url(options: { default?: string; schemes?: readonly string[] } = {}): Kind<string> {
  const { schemes } = options
  const rule = schemes === undefined ? 'a URL' : `a URL that begins with ${schemes.map((s) => `${s}://`).join(' or ')}`
  const parse = (raw: string): string | undefined => {
    const parsed = URL.parse(raw)
    if (parsed === null) return undefined
    return schemes === undefined || schemes.includes(parsed.protocol.slice(0, -1)) ? raw : undefined
  }
  // What is not a URL may still hold a password at a place nobody can find, so it is not shown at all.
  const show = (raw: string): string => (URL.canParse(raw) ? JSON.stringify(redactText(raw)) : '(value not shown)')
  return kind(rule, parse, options.default, { show })
}

/** Comma-separated values, blanks around them dropped; at least `minCount` (default 1) of them. */
export function list(
  options: { default?: readonly string[]; minCount?: number; pattern?: RegExp } = {},
): Kind<readonly string[]> {
  const minCount = options.minCount ?? 1
  const { pattern } = options
  const whole = pattern === undefined ? undefined : new RegExp(`^(?:${pattern.source})$`, pattern.flags)
  const each = pattern === undefined ? '' : `, each matching ${pattern.source}`
  const rule = `at least ${minCount} value${minCount === 1 ? '' : 's'} separated by commas${each}`
  const parse = (raw: string): readonly string[] | undefined => {
    const values = raw
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '')
    if (values.length < minCount) return undefined
    return whole === undefined || values.every((value) => whole.test(value)) ? values : undefined
  }
  return kind(rule, parse, options.default)
}

/** A password or key. With `lengthMin`, in characters. It has no default and appears in no message. */
export function secret(options: { lengthMin?: number } = {}): Kind<string> {
  const lengthMin = options.lengthMin ?? 1
  return kind(
    `a secret of at least ${lengthMin} character${lengthMin === 1 ? '' : 's'}`,
    (raw) => (raw.length >= lengthMin ? raw : undefined),
    undefined,
    { isSecret: true, show: () => '(secret)' },
  )
}

/**
 * A JSON document, inline or as `file:` and a path. `read` turns the parsed value into the setting's type and throws
 * when it is not one; its message becomes part of the rule that is reported, so it must not quote the value.
 */
export function json<T>(options: { rule: string; read: (value: unknown) => T; isSecret?: boolean }): Kind<T> {
  const rule = `${options.rule}, as JSON or as file:<path>`
  return {
    rule,
    isSecret: options.isSecret ?? false,
    fallback: undefined,
    parse(raw) {
      const source = readDocument(raw)
      if (!source.ok) return refuse(`${rule} (${source.rule})`)
      const parsed = parseJson(source.value)
      if (!parsed.ok) return refuse(`${rule} (${parsed.rule})`)
      try {
        return accept(options.read(parsed.value))
      } catch (error) {
        return refuse(`${rule} (${error instanceof Error ? error.message : 'not accepted'})`)
      }
    },
    show: (raw) => (raw.startsWith('file:') ? JSON.stringify(raw) : '(value not shown)'),
  }
}

function readDocument(raw: string): Parsed<string> {
  if (!raw.startsWith('file:')) return accept(raw)
  try {
    return accept(readFileSync(raw.startsWith('file://') ? new URL(raw) : raw.slice('file:'.length), 'utf8'))
  } catch (error) {
    return refuse(`the file cannot be read: ${codeOf(error)}`)
  }
}

function parseJson(source: string): Parsed<unknown> {
  try {
    return accept(JSON.parse(source))
  } catch {
    return refuse('it is not JSON')
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault'
}

/** The same kind, but the setting may be absent and is `undefined` then. */
export function optional<T>(inner: Kind<T>): Kind<T | undefined> {
  return { ...inner, fallback: { value: undefined, text: '' } }
}
