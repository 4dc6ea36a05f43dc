/**
 * Entity tags (RFC 9110): what a client says it has seen. `If-Match` guards a write against an overtaken view and compares
 * strongly; `If-None-Match` saves sending what the client already has and compares weakly.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem } from './problem.ts'

/** What a conditional header asks for: any state at all, or one of these tags (with quotes, without W/). */
export type EntityTags = '*' | readonly string[]

const tagList = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/
const tag = /(W\/)?("[\x21\x23-\x7e]*")/g
const headerLengthMax = 1_024

/** The strong entity tag of a version, quotes included. */
export function entityTag(version: string | number | bigint): string {
  return `"${version}"`
}

/** The header `If-Match`: `undefined` when absent. Weak tags never match. Throws a 400 problem when it is malformed. */
export function parseIfMatch(header: string | undefined): EntityTags | undefined {
  return parseTags('if-match', header, (weak) => !weak)
}

/** The header `If-None-Match`: `undefined` when absent. Throws a 400 problem when it is malformed. */
export function parseIfNoneMatch(header: string | undefined): EntityTags | undefined {
  return parseTags('if-none-match', header, () => true)
}

/** Whether a state with the tag `current` (undefined: there is none) is one of those asked for. */
export function includesTag(tags: EntityTags, current: string | undefined): boolean {
  return current !== undefined && (tags === '*' || tags.includes(current))
}

/** Sets the answer's ETag, and says whether the client has that state already: then the route answers 304, no body. */
export function notModified(request: FastifyRequest, reply: FastifyReply, current: string): boolean {
  reply.header('etag', current)
  const seen = parseIfNoneMatch(request.headers['if-none-match'])
  if (seen === undefined || !includesTag(seen, current)) return false
  reply.code(304)
  return true
}

function parseTags(name: string, header: string | undefined, keep: (weak: boolean) => boolean): EntityTags | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  if (header.length > headerLengthMax || !tagList.test(header)) {
    throw problem('invalid-request', {
      detail: `${name}: must be * or entity tags in quotes`,
      errors: [{ field: name, rule: 'entity-tag', message: 'must be * or entity tags in quotes', in: 'header' }],
    })
  }
  return [...header.matchAll(tag)].filter((match) => keep(match[1] !== undefined)).map((match) => match[2] ?? '')
}
