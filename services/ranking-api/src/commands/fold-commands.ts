/**
 * Folding: the commands of a flush, each user's one upon the other in memory, become one plan of rows a user.
 *
 * A command is settled by its fold: refused, failed, answered from an earlier run, or stored with its user's plan. What
 * was decided on a user with a plan holds only if the plan is written: a user that lost takes all its verdicts back,
 * refusals and repeats too, because they were decided on a state that was not the latest.
 */
import type { PlacedEvent } from '@bellyfed/event-store'
import type { EventId, UserId } from '@bellyfed/schemas'
import type { RankingEvent } from '../domain/ranking-event.ts'
import type { RankingList } from '../domain/ranking-list.ts'
import { type Accepted, decide, listEtag, type Ranking, type UserAggregate } from '../domain/user-aggregate.ts'
import { type EventEncoding, encodeEvent } from './encode-event.ts'
import type { Loaded } from './load-commands.ts'
import {
  commandOf,
  type EventSummary,
  hashOf,
  type RankingRequest,
  type Refusal,
  type StoredResult,
} from './requests.ts'
import { createTextKey, sealText } from './sealed-text.ts'

/** A result to be stored with its user's plan. */
export interface NewResult {
  readonly userId: UserId
  readonly commandId: string
  readonly requestHash: Buffer
  /** Of the event that the receipt names. */
  sequence: number
  readonly stored: StoredResult
  readonly acceptedAtMs: number
}

/** Everything that one user's commands of a flush write. Without events the stream does not move. */
export interface Plan {
  readonly userId: UserId
  readonly fromSequence: number
  readonly toSequence: number
  readonly atMs: number
  readonly events: readonly PlacedEvent[]
  readonly results: readonly NewResult[]
  readonly withdrawnRankingIds: readonly string[]
  readonly rankings: readonly Ranking[]
  /** A key made for this flush's sealed texts. */
  readonly newTextKey: Buffer | undefined
}

export type Settled =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly error: Error }
  /** An earlier run's result. */
  | { readonly kind: 'repeated'; readonly stored: StoredResult; readonly xid: bigint; readonly position: bigint }
  /** A result of this flush, or a repeat of one. */
  | { readonly kind: 'planned'; readonly result: NewResult; readonly isRepeat: boolean }

export interface Fold {
  readonly plans: readonly Plan[]
  /** One a request, in order. */
  readonly settled: readonly Settled[]
}

export interface FoldOptions extends EventEncoding {
  /** Epoch milliseconds. */
  readonly now: number
  readonly mintId: () => string
}

export function foldCommands(requests: readonly RankingRequest[], loaded: Loaded, options: FoldOptions): Fold {
  const folds = new Map<UserId, UserFold>()
  const settled = requests.map((request) => {
    let fold = folds.get(request.userId)
    if (fold === undefined) {
      fold = new UserFold(request.userId, loaded, options)
      folds.set(request.userId, fold)
    }
    return fold.settle(request)
  })
  return { settled, plans: [...folds.values()].flatMap((fold) => fold.plan()) }
}

class UserFold {
  readonly #userId: UserId
  readonly #loaded: Loaded
  readonly #options: FoldOptions
  readonly #before: UserAggregate
  #user: UserAggregate
  readonly #events: PlacedEvent[] = []
  readonly #results = new Map<string, NewResult>()
  #textKey: Buffer | undefined
  #newTextKey: Buffer | undefined

  constructor(userId: UserId, loaded: Loaded, options: FoldOptions) {
    const { aggregate, textKey } = loaded.user(userId)
    this.#userId = userId
    this.#loaded = loaded
    this.#options = options
    this.#before = aggregate
    this.#user = aggregate
    this.#textKey = textKey
  }

  settle(request: RankingRequest): Settled {
    try {
      return this.#earlier(request) ?? this.#decide(request)
    } catch (error) {
      return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  plan(): readonly Plan[] {
    if (this.#results.size === 0) return []
    const results = [...this.#results.values()]
    // A command that changed nothing is answered with the flush's last position: one more than it needs, but known.
    if (this.#events.length > 0) {
      for (const result of results) if (result.stored.status === 'unchanged') result.sequence = this.#user.sequence
    }
    return [
      {
        userId: this.#userId,
        fromSequence: this.#before.sequence,
        toSequence: this.#user.sequence,
        atMs: this.#user.acceptedAtMs,
        events: this.#events,
        results,
        ...changedRankings(this.#before.lists, this.#user.lists),
        newTextKey: this.#newTextKey,
      },
    ]
  }

  #earlier(request: RankingRequest): Settled | undefined {
    const inThisFlush = this.#results.get(request.commandId)
    const earlier = inThisFlush ?? this.#loaded.earlierResult(request)
    if (earlier === undefined) return undefined
    if (!earlier.requestHash.equals(hashOf(request))) {
      return { kind: 'refused', refusal: { code: 'idempotency-key-reused', commandId: request.commandId } }
    }
    if (inThisFlush !== undefined) return { kind: 'planned', result: inThisFlush, isRepeat: true }
    const { stored, xid, position } = earlier as Exclude<typeof earlier, NewResult>
    return { kind: 'repeated', stored, xid, position }
  }

  #decide(request: RankingRequest): Settled {
    const { mintId, now } = this.#options
    const decision = decide(this.#user, commandOf(request, this.#loaded.subject(request), mintId), now)
    if ('refusal' in decision) return { kind: 'refused', refusal: decision.refusal }
    // Encoded before anything is kept, so that a command whose events cannot be encoded fails alone.
    const events = decision.events.map((event) => this.#encode(event, request))
    const result: NewResult = {
      userId: this.#userId,
      commandId: request.commandId,
      requestHash: hashOf(request),
      sequence: decision.user.sequence,
      stored: storedResult(decision, events),
      acceptedAtMs: Math.max(now, decision.user.acceptedAtMs),
    }
    this.#events.push(...events)
    this.#results.set(request.commandId, result)
    this.#user = decision.user
    return { kind: 'planned', result, isRepeat: false }
  }

  #encode(event: RankingEvent, request: RankingRequest): PlacedEvent {
    const eventId = this.#options.mintId() as EventId
    return encodeEvent(event, { eventId, request, seal: (text) => this.#seal(text) }, this.#options)
  }

  #seal(text: string): Buffer {
    if (this.#textKey === undefined) {
      this.#newTextKey = createTextKey()
      this.#textKey = this.#newTextKey
    }
    return sealText(text, this.#textKey, this.#userId)
  }
}

function storedResult(decision: Accepted, rows: readonly PlacedEvent[]): StoredResult {
  const events = decision.events.map((event, index): EventSummary => {
    const { type, sequence, cause, oldRank, newRank } = event
    return { eventId: rows[index]?.eventId ?? '', type, sequence, cause, dishId: event.dish.dishId, oldRank, newRank }
  })
  return {
    status: events.length > 0 ? 'applied' : 'unchanged',
    created: decision.isCreated,
    ranking: decision.ranking,
    listEtag: listEtag(decision.list),
    events,
  }
}

type Lists = ReadonlyMap<string, RankingList<Ranking>>

/** What user_rankings needs to get from one state to the other. */
function changedRankings(before: Lists, after: Lists) {
  const rankings: Ranking[] = []
  const withdrawnRankingIds: string[] = []
  for (const [key, list] of after) {
    const old = before.get(key)
    if (old === list) continue
    const oldById = new Map(old?.map((ranking) => [ranking.rankingId, ranking]))
    for (const ranking of list) {
      // Rankings are values: one that no event of the flush touched has the sequence it had.
      if (oldById.get(ranking.rankingId)?.sequence !== ranking.sequence) rankings.push(ranking)
      oldById.delete(ranking.rankingId)
    }
    withdrawnRankingIds.push(...oldById.keys())
  }
  return { rankings, withdrawnRankingIds }
}
