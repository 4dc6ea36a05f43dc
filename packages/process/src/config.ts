/**
 * Configuration is described once as a nested object of settings, read once from the environment, and documented from
 * the same object. All faults are reported together, because a deployment that fails six times for six typing errors
 * is a bad evening. Variables that no setting names are none of our business and are ignored.
 */
import type { Kind } from './setting-kinds.ts'

/** One environment variable: its name, its kind, and what it means. */
export interface Setting<T> {
  readonly variable: string
  readonly kind: Kind<T>
  readonly description: string
}

/** A nested object whose leaves are settings. */
export interface Spec {
  readonly [name: string]: Setting<unknown> | Spec
}

/** The values that a spec describes, in the same shape. */
export type ConfigOf<S> = S extends Setting<infer T> ? T : { readonly [Name in keyof S]: ConfigOf<S[Name]> }

/** One variable that cannot be used. */
export interface ConfigFault {
  readonly variable: string
  readonly message: string
}

/** The environment does not fit the spec; carries every fault, and its message lists them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const count = faults.length === 1 ? 'One setting' : `${faults.length} settings`
    super(`${count} cannot be used:\n${faults.map((fault) => `  ${fault.message}`).join('\n')}`)
    this.faults = faults
  }
}

/** A setting. `description` is one sentence about the effect, for the generated documentation. */
export function env<T>(variable: string, kind: Kind<T>, description: string): Setting<T> {
  return { variable, kind, description }
}

/** Reads every setting of `spec`. Throws one ConfigError with all faults. An empty variable counts as absent. */
export function readConfig<const S extends Spec>(spec: S, environment: NodeJS.ProcessEnv): ConfigOf<S> {
  const faults: ConfigFault[] = []
  const config = readNode(spec, environment, faults)
  if (faults.length > 0) throw new ConfigError(faults)
  return config as ConfigOf<S>
}

function readNode(node: Spec, environment: NodeJS.ProcessEnv, faults: ConfigFault[]): object {
  const entries = Object.entries(node).map(([name, inner]): [string, unknown] => [
    name,
    isSetting(inner) ? readSetting(inner, environment, faults) : readNode(inner, environment, faults),
  ])
  return Object.freeze(Object.fromEntries(entries))
}

function readSetting(setting: Setting<unknown>, environment: NodeJS.ProcessEnv, faults: ConfigFault[]): unknown {
  const { variable, kind } = setting
  const raw = environment[variable]
  if (raw === undefined || raw === '') {
    if (kind.fallback !== undefined) return kind.fallback.value
    faults.push({ variable, message: `${variable} is missing: it must be ${kind.rule}` })
    return undefined
  }
  const parsed = kind.parse(raw)
  if (parsed.ok) return parsed.value
  faults.push({ variable, message: `${variable} is ${kind.show(raw)}: it must be ${parsed.rule}` })
  return undefined
}

function isSetting(node: Setting<unknown> | Spec): node is Setting<unknown> {
  return typeof node.variable === 'string'
}

/** Every setting of the spec in the order written; one that is used at two places is listed once. */
export function settingsOf(spec: Spec): readonly Setting<unknown>[] {
  const byVariable = new Map<string, Setting<unknown>>()
  const visit = (node: Spec): void => {
    for (const inner of Object.values(node)) {
      if (!isSetting(inner)) visit(inner)
      else if (!byVariable.has(inner.variable)) byVariable.set(inner.variable, inner)
    }
  }
  visit(spec)
  return [...byVariable.values()]
}

/** A Markdown table of the spec's settings, for the generated `docs/environment.md`. */
export function describeSettings(spec: Spec): string {
  const rows = settingsOf(spec).map(({ variable, kind, description }) => {
    const fallback = kind.fallback === undefined ? 'required' : codeSpan(kind.fallback.text)
    return `| \`${variable}\` | ${cell(description)} | ${cell(kind.rule)}${kind.isSecret ? ' (secret)' : ''} | ${fallback} |`
  })
  return ['| Variable | Meaning | Value | Default |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function codeSpan(value: string): string {
  return value === '' ? 'empty' : `\`${cell(value)}\``
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
