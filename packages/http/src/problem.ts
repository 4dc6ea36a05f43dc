/**
 * Every refusal is a problem document (RFC 9457). Its `type` is stable and is what a client decides by; `title` belongs
 * to the type; `detail` is for the person who reads it and may change. `errors` names each field with the rule it broke.
 */

/** One field that broke a rule. */
export interface FieldError {
  /** Where in the request: `rating`, `commands[3].rank`, `city`. Empty for the whole part. */
  readonly field: string
  /** The rule's stable name, such as `maximum` or `additionalProperties`. */
  readonly rule: string
  readonly message: string
  /** The part of the request; absent means the body. */
  readonly in?: 'body' | 'query' | 'path' | 'header'
}

/** What a problem document says; `instance` and `traceId` are added when it is sent. */
export interface ProblemFacts {
  readonly status: number
  readonly title: string
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  /** Further members of the document, for instance the list as it stands after a 412. */
  readonly extensions?: Readonly<Record<string, unknown>>
  /** Response headers, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** The document as sent. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly instance: string
  readonly traceId: string
  readonly errors?: readonly FieldError[]
  readonly [extension: string]: unknown
}

export const problemContentType = 'application/problem+json'
const typeBase = 'https://bellyfed.dev/problems/'

/** The problems that the HTTP base itself knows; services add their own slugs. */
export const standardProblems = {
  'not-yet-visible': { status: 202, title: 'What you wrote is not visible here yet' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'invalid-request': { status: 400, title: 'The request breaks a rule' },
  'invalid-cursor': { status: 400, title: 'The cursor is not one of ours' },
  'invalid-receipt': { status: 400, title: 'The receipt is not one of ours' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This token may not do that' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This method is not offered here' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'The request conflicts with what is stored' },
  'precondition-failed': { status: 412, title: 'The stored state is not the one you expect' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'This media type is not accepted' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'internal-error': { status: 500, title: 'An error on our side' },
  'upstream-failed': { status: 502, title: 'A service behind this one failed' },
  unavailable: { status: 503, title: 'Not available at the moment' },
  'handler-timeout': { status: 503, title: 'No answer in time' },
  'upstream-unavailable': { status: 503, title: 'A service behind this one is not available' },
  'upstream-timeout': { status: 504, title: 'A service behind this one did not answer in time' },
} as const satisfies Record<string, { status: number; title: string }>

export type StandardProblem = keyof typeof standardProblems

/** A refusal. Throw it anywhere in a route; it becomes the problem document. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly slug: string
  readonly facts: ProblemFacts

  constructor(slug: string, facts: ProblemFacts) {
    super(facts.detail ?? facts.title, { cause: facts.cause })
    this.slug = slug
    this.facts = facts
  }

  get status(): number {
    return this.facts.status
  }
}

/** A problem of the base, whose status and title are known, or one of a service's own with both given. */
export function problem(slug: StandardProblem, facts?: Partial<ProblemFacts>): Problem
export function problem(slug: string, facts: ProblemFacts): Problem
export function problem(slug: string, facts: Partial<ProblemFacts> = {}): Problem {
  const standard =
    slug in standardProblems ? standardProblems[slug as StandardProblem] : standardProblems['internal-error']
  return new Problem(slug, { ...standard, ...facts })
}

/** The document of a problem for the request at `instance` (its path, without the query) in trace `traceId`. */
export function problemDocument(refusal: Problem, instance: string, traceId: string): ProblemDocument {
  const { status, title, detail, errors, extensions } = refusal.facts
  return {
    type: `${typeBase}${refusal.slug}`,
    title,
    status,
    ...(detail !== undefined && { detail }),
    instance,
    traceId,
    ...(errors !== undefined && { errors }),
    ...extensions,
  }
}
