/** What a refused command is told: one exhaustive mapping from the refusal's code to a problem document. */
import { type Problem, problem } from '@bellyfed/http'
import type { Refusal } from '../commands/requests.ts'

const absent = (what: string, field: string): Problem =>
  problem('not-found', {
    detail: `there is no such ${what}`,
    errors: [{ field, rule: 'exists', message: `no such ${what}` }],
  })

/** @throws nothing; the caller throws the problem or puts its document into a verdict. */
export function problemOf(refusal: Refusal): Problem {
  switch (refusal.code) {
    case 'invalid':
      return problem('invalid-request', {
        detail: refusal.faults.map(({ field, message }) => `${field}: ${message}`).join('; '),
        errors: refusal.faults,
      })
    case 'user-not-found':
      return absent('user', 'userId')
    case 'restaurant-not-found':
      return absent('restaurant', 'restaurantId')
    case 'dish-not-found':
      return absent('dish', 'dishId')
    case 'ranking-not-found':
      return problem('not-found', { detail: 'this user does not rank this dish at this restaurant' })
    case 'dish-not-on-menu':
      return problem('dish-not-on-menu', {
        status: 409,
        title: 'The restaurant does not serve this dish',
        detail: 'put the dish on the menu of the restaurant first',
        errors: [{ field: 'dishId', rule: 'on-menu', message: 'is not on the menu of this restaurant' }],
      })
    case 'list-full':
      return problem('list-full', {
        status: 409,
        title: 'The list is full',
        detail: `a list holds at most ${refusal.dishesMax} dishes`,
        errors: [{ field: 'dishId', rule: 'list-length', message: `a list holds at most ${refusal.dishesMax} dishes` }],
      })
    case 'list-changed':
      return problem('precondition-failed', {
        detail: 'the list has changed; here it is as it stands',
        errors: [{ field: 'if-match', rule: 'etag', message: 'is not the ETag of the list', in: 'header' }],
        headers: { etag: refusal.listEtag },
        extensions: {
          listEtag: refusal.listEtag,
          list: refusal.list.map(({ dishId, rank, ratingHundredths }) => ({
            dishId,
            rank,
            rating: ratingHundredths === null ? null : ratingHundredths / 100,
          })),
        },
      })
    case 'idempotency-key-reused':
      return problem('idempotency-key-reused', {
        status: 422,
        title: 'This command id was used for another command',
        detail: 'a repeat must be the same command; give a new one a new id',
        errors: [
          { field: 'idempotency-key', rule: 'same-request', message: 'belongs to another command', in: 'header' },
        ],
      })
    case 'conflict':
      return problem('conflict', {
        detail: `the user's rankings kept changing meanwhile (${refusal.attempts} attempts); the same command may be sent again`,
        headers: { 'retry-after': '1' },
      })
    case 'overloaded':
    case 'deadline-exceeded':
    case 'stopping':
    case 'unavailable':
      return problem('unavailable', {
        detail: `${refusal.code}: the same command may be sent again`,
        headers: { 'retry-after': String(refusal.retryAfterSeconds) },
      })
    default:
      return refusal satisfies never
  }
}
