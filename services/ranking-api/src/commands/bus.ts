/**
 * Commands and queries by name, each with exactly one handler. A map of types says what goes in and what comes out:
 *
 *   interface Commands { 'user.put': { in: PutUser; out: PutUserOutcome } }
 *   const commandBus = createCommandBus<Commands>().register('user.put', putUser)
 *   const outcome = await commandBus.execute('user.put', command)
 */

/** What goes in and what comes out, by name. */
export type Contract<Map> = { [Name in keyof Map]: { in: unknown; out: unknown } }

type In<Map extends Contract<Map>, Name extends keyof Map> = Map[Name]['in']
type Out<Map extends Contract<Map>, Name extends keyof Map> = Map[Name]['out']
type Handler<Map extends Contract<Map>, Name extends keyof Map> = (
  message: In<Map, Name>,
) => Promise<Out<Map, Name>> | Out<Map, Name>

export class BusError extends Error {
  readonly code: 'unknown' | 'registered-twice'

  constructor(code: BusError['code'], message: string) {
    super(message)
    this.name = 'BusError'
    this.code = code
  }
}

/** A registry of handlers by name. */
export interface Bus<Map extends Contract<Map>> {
  /** @throws {BusError} `registered-twice` when the name has a handler already. */
  register<Name extends keyof Map & string>(name: Name, handler: Handler<Map, Name>): this
  /** Hands the message to its handler. Rejects with {@link BusError} `unknown` when there is none, else as the handler does. */
  execute<Name extends keyof Map & string>(name: Name, message: In<Map, Name>): Promise<Out<Map, Name>>
  /** All names that have a handler, sorted. */
  names(): readonly string[]
}

/** What changes something. */
export type CommandBus<Map extends Contract<Map>> = Bus<Map>
/** What only reads. */
export type QueryBus<Map extends Contract<Map>> = Bus<Map>

function createBus<Map extends Contract<Map>>(kind: 'command' | 'query'): Bus<Map> {
  const handlers: { [Name in keyof Map & string]?: Handler<Map, Name> } = Object.create(null)
  return {
    register(name, handler) {
      if (handlers[name] !== undefined) throw new BusError('registered-twice', `${kind} ${name} has a handler already`)
      handlers[name] = handler
      return this
    },
    async execute(name, message) {
      const handler = handlers[name]
      if (handler === undefined) throw new BusError('unknown', `no handler for ${kind} ${name}`)
      return await handler(message)
    },
    names: () => Object.keys(handlers).sort(),
  }
}

export function createCommandBus<Map extends Contract<Map>>(): CommandBus<Map> {
  return createBus('command')
}

export function createQueryBus<Map extends Contract<Map>>(): QueryBus<Map> {
  return createBus('query')
}
