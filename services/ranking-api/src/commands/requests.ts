/** What callers ask of the ranking commands, and what they are answered. */
import type { DishId, RestaurantId, UserId } from '@bellyfed/schemas'
import type { RankingCommand, Subject } from '../domain/ranking-command.ts'
import type { Cause, RankingEvent } from '../domain/ranking-event.ts'
import type { Refusal as DomainRefusal, Ranking } from '../domain/user-aggregate.ts'
import { requestHash } from './request-hash.ts'

interface Addressed {
  /** Unique per user for the life of the log; 1 to 255 characters. A repeat is answered with the same result. */
  readonly commandId: string
  readonly userId: UserId
  readonly restaurantId: RestaurantId
  readonly dishId: DishId
  /** ETags of the list, one of which must stand. A precondition, not part of what is asked for. */
  readonly ifMatch?: readonly string[] | undefined
  readonly sessionId?: string | undefined
  readonly correlationId?: string | undefined
  /** W3C trace context, passed on to the events' readers. */
  readonly traceparent?: string | undefined
}

/** Absent stays as it is; null clears. */
export interface PutRankingRequest extends Addressed {
  readonly kind: 'put'
  readonly rank?: number | undefined
  readonly ratingHundredths?: number | null | undefined
  readonly notes?: string | null | undefined
  readonly photoUrl?: string | null | undefined
  readonly rankedAtMs?: number | undefined
}

export interface RemoveRankingRequest extends Addressed {
  readonly kind: 'remove'
}

export type RankingRequest = PutRankingRequest | RemoveRankingRequest

/** Read-your-writes: a projection that has passed this position for this key has applied the command. */
export interface Receipt {
  readonly source: string
  readonly epoch: number
  readonly xid: bigint
  readonly position: bigint
  readonly key: string
}

/** What one event of a command says, in short. */
export interface EventSummary {
  readonly eventId: string
  readonly type: RankingEvent['type']
  readonly sequence: number
  readonly cause: Cause
  readonly dishId: string
  readonly oldRank: number | null
  readonly newRank: number | null
}

/** The part of an answer that is stored and comes back unchanged with every repeat. */
export interface StoredResult {
  /** Whether the command changed anything. */
  readonly status: 'applied' | 'unchanged'
  /** Whether it made a new ranking. */
  readonly created: boolean
  /** As it stood after the command; null when it was withdrawn. */
  readonly ranking: Ranking | null
  /** Of the list after the command. */
  readonly listEtag: string
  readonly events: readonly EventSummary[]
}

export interface Applied extends Omit<StoredResult, 'status'> {
  /** `repeated`: an earlier run of the same command was applied or changed nothing; this is its result. */
  readonly status: 'applied' | 'unchanged' | 'repeated'
  readonly receipt: Receipt
}

export type Refusal =
  | DomainRefusal
  /** The same command id with another request. */
  | { readonly code: 'idempotency-key-reused'; readonly commandId: string }
  /** The user's stream kept moving under the command: 409. */
  | { readonly code: 'conflict'; readonly attempts: number }
  /** More waits than can be answered in time, or the command waited too long, or the process is stopping: 503. */
  | { readonly code: 'overloaded' | 'deadline-exceeded' | 'stopping'; readonly retryAfterSeconds: number }
  /** The database is away, or a commit's outcome could not be learned; the same command id may be tried again: 503. */
  | { readonly code: 'unavailable'; readonly retryAfterSeconds: number }

export interface Refused {
  readonly status: 'refused'
  readonly refusal: Refusal
}

export type CommandOutcome = Applied | Refused

/** A command of a batch that failed for a reason of ours; the others of the batch are not concerned. */
export interface CommandFailed {
  readonly status: 'failed'
  readonly error: Error
}

const commandIdCharactersMax = 255

/** Thrown at callers that let a malformed command id through. */
export function assertCommandId(commandId: string): void {
  if (commandId.length === 0 || commandId.length > commandIdCharactersMax || !/^[\x20-\x7e]+$/.test(commandId)) {
    throw new RangeError(`a command id has 1 to ${commandIdCharactersMax} printable ASCII characters`)
  }
}

/** What makes two requests with the same command id the same command. */
export function hashOf(request: RankingRequest): Buffer {
  const { kind, restaurantId, dishId } = request
  if (request.kind === 'remove') return requestHash({ kind, restaurantId, dishId })
  const { rank, ratingHundredths, notes, photoUrl, rankedAtMs } = request
  return requestHash({ kind, restaurantId, dishId, rank, ratingHundredths, notes, photoUrl, rankedAtMs })
}

/** The domain's command: the request with what the catalogue says about it. */
export function commandOf(request: RankingRequest, subject: Subject, newRankingId: () => string): RankingCommand {
  const { restaurantId, dishId, ifMatch } = request
  if (request.kind === 'remove') return { kind: 'remove', restaurantId, dishId, subject, ifMatch }
  const { rank, ratingHundredths, notes, photoUrl, rankedAtMs } = request
  const values = { rank, ratingHundredths, notes, photoUrl, rankedAtMs }
  return { kind: 'put', restaurantId, dishId, subject, ifMatch, newRankingId: newRankingId(), ...values }
}
