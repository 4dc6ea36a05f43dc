/** Commands on rankings: one at a time, and in batches with a verdict each. */
import {
  encodeReceipt,
  type Problem,
  ProblemSchema,
  parseIfMatch,
  problem,
  problemDocument,
  type Routes,
  requireRole,
  requireSelfOr,
} from '@bellyfed/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiCommandBus } from '../api-buses.ts'
import { createIdMint } from '../commands/mint-id.ts'
import type {
  Applied,
  CommandFailed,
  CommandOutcome,
  PutRankingRequest,
  RankingRequest,
  RemoveRankingRequest,
} from '../commands/requests.ts'
import { rankingView } from './ranking-view.ts'
import { problemOf } from './refusals.ts'
import {
  BatchAnswer,
  BatchBody,
  type BatchCommand,
  CommandAnswer,
  CommandHeaders,
  PutRankingBody,
  RankingParams,
  type Verdict,
} from './shapes.ts'

/** 500 commands with notes of 2,000 characters of up to four bytes. */
const batchBodyBytesMax = 8 * 1024 * 1024

const selfOrService = requireSelfOr('service', 'admin')
const path = '/v1/users/:userId/rankings/:restaurantId/:dishId'

export const rankingRoutes =
  (commands: ApiCommandBus): Routes =>
  (app) => {
    const answers = { 200: CommandAnswer, 201: CommandAnswer, '4xx': ProblemSchema, '5xx': ProblemSchema }
    const shared = { params: RankingParams, headers: CommandHeaders, response: answers }

    const put = { ...shared, summary: 'Rank a dish, or change a ranking', body: PutRankingBody }
    app.put(path, { schema: put, onRequest: selfOrService }, async (request, reply) => {
      const command = putRequest(request.params, request.body, origin(request))
      return answer(reply, command, await commands.execute('ranking.put', command))
    })

    const remove = { ...shared, summary: 'Withdraw a ranking' }
    app.delete(path, { schema: remove, onRequest: selfOrService }, async (request, reply) => {
      const command: RemoveRankingRequest = { kind: 'remove', ...request.params, ...origin(request) }
      return answer(reply, command, await commands.execute('ranking.remove', command))
    })

    const batch = {
      summary: 'Up to 500 commands, each with a verdict of its own; not atomic',
      body: BatchBody,
      response: { 200: BatchAnswer, '4xx': ProblemSchema, '5xx': ProblemSchema },
    }
    const batchOptions = { schema: batch, onRequest: requireRole('service'), bodyLimit: batchBodyBytesMax }
    app.post('/v1/rankings/batch', batchOptions, async (request) => {
      const requests = request.body.commands.map((command) => batchedRequest(command, request.trace.traceparent))
      const outcomes = await commands.execute('ranking.batch', requests)
      return { verdicts: outcomes.map((outcome, index) => verdict(outcome, requests[index], request)) }
    })
  }

const mintId = createIdMint()

interface Origin {
  readonly commandId: string
  readonly ifMatch: readonly string[] | undefined
  readonly traceparent: string
}

function origin(request: FastifyRequest): Origin {
  const { headers } = request
  const key = headers['idempotency-key']
  const tags = parseIfMatch(headers['if-match'])
  return {
    commandId: typeof key === 'string' ? key : mintId(),
    // `*` asks for any list at all, and an empty list is one.
    ifMatch: tags === '*' ? undefined : tags,
    traceparent: request.trace.traceparent,
  }
}

type Addressed = Pick<RankingRequest, 'userId' | 'restaurantId' | 'dishId'>

function putRequest(address: Addressed, body: PutRankingBody, from: Origin): PutRankingRequest {
  return {
    kind: 'put',
    ...address,
    ...from,
    rank: body.rank,
    // Hundredths of a decimal with at most two places: rounding only takes binary noise away.
    ratingHundredths: typeof body.rating === 'number' ? Math.round(body.rating * 100) : body.rating,
    notes: body.notes,
    photoUrl: body.photoUrl,
    rankedAtMs: body.rankedAt === undefined ? undefined : Date.parse(body.rankedAt),
  }
}

function batchedRequest(command: BatchCommand, traceparent: string): RankingRequest {
  const { commandId, userId, restaurantId, dishId } = command
  const tags = parseIfMatch(command.ifMatch)
  const from = { commandId, ifMatch: tags === '*' ? undefined : tags, traceparent }
  const address = { userId, restaurantId, dishId }
  return command.type === 'put' ? putRequest(address, command, from) : { kind: 'remove', ...address, ...from }
}

function answer(reply: FastifyReply, command: RankingRequest, outcome: CommandOutcome) {
  if (outcome.status === 'refused') throw problemOf(outcome.refusal)
  reply.code(outcome.created ? 201 : 200).header('etag', outcome.listEtag)
  return appliedView(command, outcome)
}

function appliedView({ userId, commandId }: RankingRequest, applied: Applied) {
  const { status, ranking, listEtag, events, receipt } = applied
  return {
    status,
    commandId,
    ...(ranking !== null && { ranking: rankingView(userId, ranking) }),
    listEtag,
    events: [...events],
    receipt: encodeReceipt(receipt),
  }
}

function verdict(
  outcome: CommandOutcome | CommandFailed,
  command: RankingRequest | undefined,
  request: FastifyRequest,
): Verdict {
  const commandId = command?.commandId ?? ''
  if (outcome.status === 'failed') {
    request.log.error({ err: outcome.error, commandId }, 'a command of a batch failed')
    return refused(commandId, problem('internal-error'), request)
  }
  if (outcome.status === 'refused') return refused(commandId, problemOf(outcome.refusal), request)
  return { commandId, status: outcome.status, receipt: encodeReceipt(outcome.receipt) }
}

function refused(commandId: string, refusal: Problem, request: FastifyRequest): Verdict {
  return { commandId, status: 'refused', problem: problemDocument(refusal, request.url, request.trace.traceId) }
}
