/**
 * The schema registry, for look-ups by every service and registration by the deploy step. Any registry with Confluent's
 * API serves. Errors are told apart by HTTP status only: the wording differs between registries.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { InvalidPayload } from './invalid-payload.ts'

export interface RegistryClient {
  /** Id of the schema under the subject. @throws SchemaNotRegistered when the subject does not hold it. */
  idOf(subject: string, schemaJson: string): Promise<number>
  /** The schema with the id, as JSON. @throws InvalidPayload `unknown-schema` when there is none. */
  schemaOf(id: number): Promise<string>
  /**
   * Puts the schema under the subject, whose schemas must all be able to read each other's values. Of no effect when it
   * is there already. @throws IncompatibleSchema when it breaks that rule.
   */
  register(subject: string, schemaJson: string): Promise<number>
}

/** The deploy step has not registered the schemas of this build. */
export class SchemaNotRegistered extends Error {
  readonly subject: string

  constructor(subject: string, options?: ErrorOptions) {
    super(`The registry has not this schema under ${subject}: run the deploy step of schemas first`, options)
    this.name = 'SchemaNotRegistered'
    this.subject = subject
  }
}

/** The registry refused a schema that earlier versions under its subject cannot live with. */
export class IncompatibleSchema extends Error {
  readonly subject: string

  constructor(subject: string, options?: ErrorOptions) {
    super(`The registry refused the schema under ${subject}: it is not compatible with earlier versions`, options)
    this.name = 'IncompatibleSchema'
    this.subject = subject
  }
}

/** The registry answered, but not what it was asked. */
class RegistryFault extends Error {
  readonly status: number

  constructor(request: string, status: number) {
    super(`${request}: the registry answered ${status}`)
    this.name = 'RegistryFault'
    this.status = status
  }
}

export interface RegistryOptions {
  username?: string
  password?: string
  requestTimeoutMs?: number
}

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>[number]

const compatibility = COMPATIBILITY.FULL_TRANSITIVE

/**
 * A registry answers 409 to an incompatible schema, and also to one of two deploy steps that meet at the same subject.
 * The second kind passes when it is tried again.
 */
const registerAttemptsMax = 4
const registerPauseMs = 50

/** @param url Base of Confluent's API; for Apicurio it ends in /apis/ccompat/v7. */
export function registryClient(url: string, options: RegistryOptions = {}): RegistryClient {
  const { username, password = '', requestTimeoutMs = 10_000 } = options
  const host = url.replace(/\/+$/, '')
  const registry = new SchemaRegistry({
    host,
    middlewares: [requestTimeout(requestTimeoutMs)],
    ...(username === undefined ? {} : { auth: { username, password } }),
  })
  const headers = {
    'content-type': 'application/vnd.schemaregistry.v1+json',
    ...(username === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
  }
  /** The client has no call for these. Undefined stands for 404. */
  const request = async (method: 'GET' | 'PUT', path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${host}${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (response.status === 404) return undefined
    if (!response.ok) throw new RegistryFault(`${method} ${path}`, response.status)
    return response.json()
  }

  const registerOnce = async (subject: string, schema: string) => {
    const path = `/config/${encodeURIComponent(subject)}`
    const config = (await request('GET', path)) as { compatibilityLevel?: string } | undefined
    const isSet = config?.compatibilityLevel === compatibility
    // Set before the first version where the registry allows it, so that no version is ever taken unchecked.
    if (!isSet) await request('PUT', path, { compatibility })
    const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject, compatibility })
    if (!isSet) await request('PUT', path, { compatibility })
    return id
  }

  return {
    async idOf(subject, schema) {
      try {
        return await registry.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema })
      } catch (cause) {
        // The client gives this class to 404 only, and takes the status away.
        if (cause instanceof Error && cause.name === 'ConfluentSchemaRegistryError')
          throw new SchemaNotRegistered(subject, { cause })
        throw cause
      }
    },
    async schemaOf(id) {
      const found = (await request('GET', `/schemas/ids/${id}`)) as { schema: string } | undefined
      if (found === undefined) throw new InvalidPayload('unknown-schema', { schemaId: id })
      return found.schema
    },
    async register(subject, schema) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await registerOnce(subject, schema)
        } catch (cause) {
          if (statusOf(cause) !== 409) throw cause
          if (attempt === registerAttemptsMax) throw new IncompatibleSchema(subject, { cause })
          await pause(attempt * registerPauseMs)
        }
      }
    },
  }
}

/** The client itself would wait for an answer without end. */
function requestTimeout(timeoutMs: number): Middleware {
  return () => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error ? Number(error.status) : undefined
}
