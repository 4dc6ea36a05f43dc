/**
 * Makes the people, places and dishes of a plan known to the API before any ranking is sent.
 *
 * They are only created, never changed: what exists already, from an earlier import or from someone else, stays as it is.
 * Users, restaurants and dishes come first, then the menu items that join the last two. One that the API refuses is
 * remembered with the reason; the rows that need it are rejected. A user name that is too long, or that another user
 * holds already, is told apart by the beginning of the user's id, so that two files may each have their own Anna.
 */
import type { ApiClient, CreateAnswer } from './api-client.ts'
import { entityId } from './identity.ts'
import type { Plan, PlannedRow } from './plan.ts'

export interface CatalogueIds {
  readonly users: readonly string[]
  readonly restaurants: readonly string[]
  readonly dishes: readonly string[]
}

export interface CreationCount {
  created: number
  existed: number
  refused: number
}

export interface CatalogueCounts {
  readonly users: CreationCount
  readonly restaurants: CreationCount
  readonly dishes: CreationCount
  readonly menuItems: CreationCount
}

/** The ids of a plan's entities, by their index in the plan. */
export function catalogueIds(plan: Plan): CatalogueIds {
  const ids = (kind: 'user' | 'restaurant' | 'dish', entities: readonly { key: string }[]) =>
    entities.map(({ key }) => entityId(plan.namespace, kind, key))
  return {
    users: ids('user', plan.users),
    restaurants: ids('restaurant', plan.restaurants),
    dishes: ids('dish', plan.dishes),
  }
}

export function catalogueSize(plan: Plan): number {
  return plan.users.length + plan.restaurants.length + plan.dishes.length + plan.menu.length
}

interface Creation {
  readonly kind: keyof CatalogueCounts
  readonly index: number
  readonly path: string
  readonly body: object
  /** What to send where something in `body` is taken by another. */
  readonly bodyIfTaken?: object
}

const usernameCharactersMax = 50
const distinctionCharacters = 8

export class Catalogue {
  readonly counts: CatalogueCounts = {
    users: { created: 0, existed: 0, refused: 0 },
    restaurants: { created: 0, existed: 0, refused: 0 },
    dishes: { created: 0, existed: 0, refused: 0 },
    menuItems: { created: 0, existed: 0, refused: 0 },
  }
  readonly #plan: Plan
  readonly #ids: CatalogueIds
  readonly #refusals = new Map<string, string>()

  constructor(plan: Plan, ids: CatalogueIds) {
    this.#plan = plan
    this.#ids = ids
  }

  /** Creates whatever is missing, `requestsMax` at a time. Throws what stopped it; running it again carries on. */
  async create(client: ApiClient, options: { requestsMax: number; onCreated: () => void }): Promise<void> {
    for (const stage of [this.#entities(), this.#menuItems()]) {
      const worker = async () => {
        for (const creation of stage) {
          await this.#createOne(client, creation)
          options.onCreated()
        }
      }
      const results = await Promise.allSettled(Array.from({ length: options.requestsMax }, worker))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  /** Why a row cannot be ranked; undefined when everything that it needs is known. */
  refusalFor(row: PlannedRow): string | undefined {
    return (
      this.#refusals.get(`users ${row.user}`) ??
      this.#refusals.get(`restaurants ${row.restaurant}`) ??
      this.#refusals.get(`dishes ${row.dish}`) ??
      this.#refusals.get(`menuItems ${row.menu}`)
    )
  }

  *#entities(): Generator<Creation> {
    const { users, restaurants, dishes } = this.#plan
    for (const [index, { facts }] of users.entries()) {
      const id = this.#ids.users[index] ?? ''
      const distinct = { ...facts, username: distinctUsername(facts.username, id) }
      const body = facts.username.length > usernameCharactersMax ? distinct : facts
      yield { kind: 'users', index, path: `/v1/users/${id}`, body, bodyIfTaken: distinct }
    }
    for (const [index, { facts }] of restaurants.entries()) {
      yield { kind: 'restaurants', index, path: `/v1/restaurants/${this.#ids.restaurants[index]}`, body: facts }
    }
    for (const [index, { facts }] of dishes.entries()) {
      yield { kind: 'dishes', index, path: `/v1/dishes/${this.#ids.dishes[index]}`, body: facts }
    }
  }

  *#menuItems(): Generator<Creation> {
    for (const [index, { restaurant, dish, facts }] of this.#plan.menu.entries()) {
      const isMissing = this.#refusals.has(`restaurants ${restaurant}`) || this.#refusals.has(`dishes ${dish}`)
      const path = `/v1/restaurants/${this.#ids.restaurants[restaurant]}/menu/${this.#ids.dishes[dish]}`
      if (!isMissing) yield { kind: 'menuItems', index, path, body: facts }
    }
  }

  async #createOne(client: ApiClient, { kind, index, path, body, bodyIfTaken }: Creation): Promise<void> {
    let answer: CreateAnswer = await client.create(path, body)
    if (answer.kind === 'refused' && answer.isTaken && bodyIfTaken !== undefined) {
      answer = await client.create(path, bodyIfTaken)
    }
    this.counts[kind][answer.kind]++
    if (answer.kind === 'refused') this.#refusals.set(`${kind} ${index}`, `PUT ${path} was refused: ${answer.detail}`)
  }
}

function distinctUsername(username: string, userId: string): string {
  const start = [...username].slice(0, usernameCharactersMax - distinctionCharacters - 1).join('')
  return `${start.trimEnd()}-${userId.slice(0, distinctionCharacters)}`
}
