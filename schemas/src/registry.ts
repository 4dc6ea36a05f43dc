/**
 * The schema registry, for look-ups by every service and registration by the deploy step. Any registry with Confluent's
 * API serves. Errors are told apart by HTTP status only: the wording differs between registries.
 */
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

export interface RegistryOptions {
  username?: string
  password?: string
  requestTimeoutMs?: number
}

const compatibility = COMPATIBILITY.FULL_TRANSITIVE

/** @param url Base of Confluent's API; for Apicurio it ends in /apis/ccompat/v7. */
export function registryClient(url: string, options: RegistryOptions = {}): RegistryClient {
  const { username, password = '', requestTimeoutMs = 10_000 } = options
  const host = url.replace(/\/+$/, '')
  const registry = new SchemaRegistry({ host, ...(username === undefined ? {} : { auth: { username, password } }) })
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
    if (!response.ok) throw new Error(`${method} ${path}: the registry answered ${response.status}`)
    return response.json()
  }

  return {
    async idOf(subject, schema) {
      try {
        return await registry.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema })
      } catch (cause) {
        if (statusOf(cause) === 404) throw new SchemaNotRegistered(subject, { cause })
        throw cause
      }
    },
    async schemaOf(id) {
      const found = (await request('GET', `/schemas/ids/${id}`)) as { schema: string } | undefined
      if (found === undefined) throw new InvalidPayload('unknown-schema', { schemaId: id })
      return found.schema
    },
    async register(subject, schema) {
      const path = `/config/${encodeURIComponent(subject)}`
      const config = (await request('GET', path)) as { compatibilityLevel?: string } | undefined
      const isSet = config?.compatibilityLevel === compatibility
      // Set before the first version where the registry allows it, so that no version is ever taken unchecked.
      if (!isSet) await request('PUT', path, { compatibility })
      try {
        const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject, compatibility })
        if (!isSet) await request('PUT', path, { compatibility })
        return id
      } catch (cause) {
        if (statusOf(cause) === 409) throw new IncompatibleSchema(subject, { cause })
        throw cause
      }
    },
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error ? Number(error.status) : undefined
}
