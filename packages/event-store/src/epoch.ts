/**
 * What keeps positions comparable over the life of the log. They order by transaction id, and a cluster hands those out
 * upwards for good; a log restored into another cluster would get lower ones than it already holds. So a restore raises
 * the epoch, and a start on a cluster that lies behind its log is refused.
 */
import { type Queryable, statement } from '@bellyfed/postgres'

const selectEpoch = statement(import.meta.url, '../sql/select-epoch.sql')
const selectClusterPosition = statement(import.meta.url, '../sql/select-cluster-position.sql')

/** The epoch of the store's positions. */
export async function currentEpoch(q: Queryable): Promise<number> {
  const { rows } = await q.query<{ epoch: number }>(selectEpoch)
  if (rows[0] === undefined) throw new Error('the event store has no epoch: its migrations are incomplete')
  return rows[0].epoch
}

/** The log holds transaction ids that this cluster has not handed out yet: it was moved here from another cluster. */
export class ClusterBehindLog extends Error {
  readonly xidMax: bigint
  readonly xidNext: bigint

  constructor(xidMax: bigint, xidNext: bigint) {
    super(
      `this PostgreSQL cluster's next transaction id, ${xidNext}, lies below the event log's highest, ${xidMax}: new ` +
        'events would be published before old ones, or never. The log comes from another cluster; move this cluster ' +
        `beyond ${xidMax} (pg_resetwal --next-transaction-id and --epoch, with the server stopped) and raise the epoch.`,
    )
    this.name = 'ClusterBehindLog'
    this.xidMax = xidMax
    this.xidNext = xidNext
  }
}

/** Throws ClusterBehindLog when events appended now would sort below events that exist. Asked at every start. */
export async function assertClusterNotBehind(q: Queryable): Promise<void> {
  const { rows } = await q.query<{ xid_max: bigint | null; xid_next: bigint }>(selectClusterPosition)
  const row = rows[0]
  if (row?.xid_max == null) return
  if (row.xid_next <= row.xid_max) throw new ClusterBehindLog(row.xid_max, row.xid_next)
}
