/**
 * The limit of `accept`: the statements of its flushes alone. For each flush the rows are decided and encoded beforehand by
 * the service's own code, whose statements and parameters are taken down instead of sent; what is measured is sending
 * them: the load, then the write transaction, flushes of the same size, as many beside each other.
 */
import type { Pool, QueryResult, Statement, Transaction } from '@bellyfed/postgres'
import type { SchemaIds } from '@bellyfed/ranking-api'
import { foldCommands, load, type RankingRequest, writeMoves } from '@bellyfed/ranking-api'
import type { Codec } from '@bellyfed/schemas'
import { v7 } from 'uuid'

interface TakenDown {
  readonly statement: Statement
  readonly values: readonly unknown[]
}
interface PrebuiltFlush {
  readonly loads: readonly TakenDown[]
  readonly writes: readonly TakenDown[]
}

/** Answers as the server would to a writer that wins, and takes down what it was asked. */
function notingTransaction(writes: TakenDown[], streams: readonly string[]): Transaction {
  const answer = { xid: 1n, won: streams, positions: streams.map((_, index) => BigInt(index)) }
  return {
    query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
      writes.push({ statement, values })
      const row = statement.name.includes('earlier-xid') ? { xid: null } : answer
      return Promise.resolve({ rows: [row as Row], rowCount: 1 })
    },
    queryBinary: () => Promise.reject(new Error('not asked of a write')),
    xid: () => Promise.resolve(1n),
    noteXid: () => undefined,
  }
}

export async function prebuildFlush(
  pool: Pool,
  requests: readonly RankingRequest[],
  encoding: { codec: Pick<Codec, 'encode'>; schemaIds: SchemaIds },
): Promise<PrebuiltFlush> {
  const loads: TakenDown[] = []
  const loaded = await load(
    {
      query: (statement: Statement, values: readonly unknown[] = []) => {
        loads.push({ statement, values })
        return pool.query(statement, values)
      },
      queryBinary: pool.queryBinary.bind(pool),
    } as Pool,
    requests,
  )
  const { plans, settled } = foldCommands(requests, loaded, { ...encoding, now: Date.now(), mintId: v7 })
  if (plans.length !== requests.length)
    throw new Error(`not every command makes an event: ${JSON.stringify(settled[0])}`)
  const writes: TakenDown[] = []
  const noting = {
    transaction: (work: (tx: Transaction) => Promise<unknown>) =>
      work(
        notingTransaction(
          writes,
          plans.map(({ userId }) => userId),
        ),
      ),
  }
  await writeMoves(noting as unknown as Pool, plans)
  return { loads, writes }
}

/** Sends the flushes, `besideEachOther` at once; answers the seconds that took. */
export async function sendFlushes(
  pool: Pool,
  flushes: readonly PrebuiltFlush[],
  besideEachOther: number,
): Promise<number> {
  const waiting = [...flushes]
  const startedAtMs = performance.now()
  const sendAll = async () => {
    for (let flush = waiting.shift(); flush !== undefined; flush = waiting.shift()) {
      for (const { statement, values } of flush.loads) await pool.query(statement, values)
      const { writes } = flush
      await pool.transaction(async (tx) => {
        const [first, second, ...rest] = writes.map(({ statement, values }) => ({ statement, values }))
        // As in the service: the check and the compare-and-set share a round trip, the rest travels with COMMIT.
        const guards = [first, second].flatMap((taken) => (taken ? [tx.query(taken.statement, taken.values)] : []))
        await Promise.all(guards)
        for (const { statement, values } of rest) void tx.query(statement, values)
      })
    }
  }
  await Promise.all(Array.from({ length: besideEachOther }, sendAll))
  return (performance.now() - startedAtMs) / 1_000
}
