/**
 * Every metric of the platform, with what it means and what a rise of it says. The list is closed: a metric that is not
 * here cannot be written. Labels have few values that are known beforehand (topics, partitions, routes, outcomes); a
 * user, a dish or an address never is one.
 */

interface Definition<Type extends string, Label extends string> {
  readonly type: Type
  readonly name: string
  readonly help: string
  readonly labels: readonly Label[]
}

/** Only ever rises; its rate is what counts. */
export interface CounterDefinition<Label extends string = string> extends Definition<'counter', Label> {}
/** A value that goes up and down. */
export interface GaugeDefinition<Label extends string = string> extends Definition<'gauge', Label> {}
/** How often which size or duration was seen. */
export interface HistogramDefinition<Label extends string = string> extends Definition<'histogram', Label> {
  readonly buckets: readonly number[]
}

function counter<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): CounterDefinition<Label> {
  return { type: 'counter', name, help, labels }
}

function gauge<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): GaugeDefinition<Label> {
  return { type: 'gauge', name, help, labels }
}

function histogram<const Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): HistogramDefinition<Label> {
  return { type: 'histogram', name, help, buckets, labels }
}

/** Seconds, from what an idle machine does (1 ms) to what a client gives up on (30 s). */
const seconds = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Counts of records or commands in one batch. */
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]

export const catalogue = {
  eventsTotal: counter(
    'events_total',
    'Events by what became of them. Rising `stale` means reordering upstream; rising `duplicate`, restarts; rising `dead`, invalid events or a fault of ours.',
    ['topic', 'outcome'],
  ),
  batchDurationSeconds: histogram(
    'batch_duration_seconds',
    'Time from taking a batch of one partition to its committed position. A rise means a slow database or larger batches.',
    seconds,
    ['topic'],
  ),
  batchStageSeconds: histogram(
    'batch_stage_seconds',
    'Time of one stage of a batch (decode, apply, commit). The stage that rises is the one to look at.',
    seconds,
    ['topic', 'stage'],
  ),
  batchSizeRecords: histogram(
    'batch_size_records',
    'Records in a batch. Rising together with lag, the consumer works at its limit; falling with lag, it is fed slowly.',
    counts,
    ['topic'],
  ),
  eventDelaySeconds: histogram(
    'event_delay_seconds',
    'Time from the acceptance of an event to its commit in this projection. A rise is what users see as staleness.',
    seconds,
    ['topic'],
  ),
  consumerLagRecords: gauge(
    'consumer_lag_records',
    'Records between the position and the end of a partition. A steady rise means more is published than consumed.',
    ['topic', 'partition'],
  ),
  consumerLagSeconds: gauge(
    'consumer_lag_seconds',
    'Age of the oldest record of a partition that is not yet applied. A rise with few records means a stuck partition.',
    ['topic', 'partition'],
  ),
  consumerAssignedPartitions: gauge(
    'consumer_assigned_partitions',
    'Partitions that this process consumes. Zero while others have some means that it is not part of the group.',
    ['topic'],
  ),
  consumerPausedPartitions: gauge(
    'consumer_paused_partitions',
    'Partitions that wait because a dependency is away. Above zero for long means that the dependency stays away.',
    ['topic'],
  ),
  consumerParkedKeys: gauge(
    'consumer_parked_keys',
    'Keys whose events wait in order behind a failed one. A rise means that more users see stale values.',
  ),
  consumerRebalancesTotal: counter(
    'consumer_rebalances_total',
    'Assignments received. A rise outside of deployments means that members leave the group: slow batches or restarts.',
  ),
  consumerStalePositionsTotal: counter(
    'consumer_stale_positions_total',
    'Batches rolled back because another consumer had moved the position. A rise means zombies after rebalances.',
    ['topic'],
  ),
  consumerRetriesTotal: counter(
    'consumer_retries_total',
    'Batches tried again because a dependency was away. A rise means an unsteady database or broker.',
    ['topic'],
  ),
  consumerRestartsTotal: counter(
    'consumer_restarts_total',
    'Restarts of the Kafka client by the progress watchdog. Any rise is worth a look at the broker and the client.',
  ),
  deadLettersTotal: counter(
    'dead_letters_total',
    'Records put aside because they will never succeed. Any rise is either invalid data upstream or a fault of ours.',
    ['topic', 'code'],
  ),
  relayPublishedTotal: counter(
    'relay_published_total',
    'Records acknowledged by the broker. A fall to zero while commands are accepted means that publication stands still.',
    ['topic'],
  ),
  relayBatchSizeRecords: histogram(
    'relay_batch_size_records',
    'Records sent together. A rise means that the relay catches up after a pause or that load rises.',
    counts,
  ),
  relayPublishSeconds: histogram(
    'relay_publish_seconds',
    'Time of one send until all in-sync replicas have acknowledged. A rise means a slow broker.',
    seconds,
  ),
  relayDelaySeconds: histogram(
    'relay_delay_seconds',
    'Time from the acceptance of an event to its acknowledgement by the broker. A rise delays every read model.',
    seconds,
  ),
  relayHorizonAgeSeconds: gauge(
    'relay_horizon_age_seconds',
    'Age of the oldest running transaction that holds back publication. A rise means that a long write transaction stalls it.',
  ),
  relayIsLeader: gauge(
    'relay_is_leader',
    'One in the process that publishes, zero in those that stand by. A sum other than one for long is a fault.',
  ),
  relayFailuresTotal: counter(
    'relay_failures_total',
    'Sends and reads of the relay that failed and are tried again. A rise means an unsteady broker or database.',
    ['stage'],
  ),
  acceptSeconds: histogram(
    'accept_seconds',
    'Time from a validated command to its verdict. A rise means waiting for the flush: look at flush time and conflicts.',
    seconds,
    ['command'],
  ),
  commandsTotal: counter(
    'commands_total',
    'Commands by verdict. Rising `refused` means clients with wrong input; rising `repeated`, clients that try again.',
    ['command', 'outcome'],
  ),
  commandConflictsTotal: counter(
    'command_conflicts_total',
    'Streams that lost the compare-and-set and were loaded anew. A rise means one user on several servers at once.',
  ),
  flushSizeCommands: histogram(
    'flush_size_commands',
    'Commands committed in one transaction. A rise means that load rises or that the database has become slower.',
    counts,
  ),
  flushSeconds: histogram(
    'flush_seconds',
    'Time of one group commit. A rise means a slow database; all commands of the flush wait for it.',
    seconds,
  ),
  flushFallbacksTotal: counter(
    'flush_fallbacks_total',
    'Flushes that failed as a whole and were repeated one command at a time. A rise means commands that break a constraint.',
  ),
  commandsWaiting: gauge(
    'commands_waiting',
    'Commands accepted for work but not yet in a flush. A steady rise means that more arrives than is committed.',
  ),
  httpRequestsTotal: counter(
    'http_requests_total',
    'Answers by route pattern and status. Rising 5xx is a fault of ours or of a dependency; rising 4xx, of clients; 429, of limits.',
    ['method', 'route', 'status'],
  ),
  httpRequestSeconds: histogram(
    'http_request_seconds',
    'Time from the first byte of a request to its complete answer. A rise on one route points to what that route waits for.',
    seconds,
    ['method', 'route'],
  ),
  httpRequestsInFlight: gauge(
    'http_requests_in_flight',
    'Requests being answered. A steady rise means that answers have become slower than requests arrive.',
  ),
  httpTokenChecksTotal: counter(
    'http_token_checks_total',
    'Tokens by how they were judged. Rising `verified` against `cached` means many new tokens; rising `refused`, wrong or expired ones.',
    ['outcome'],
  ),
  upstreamRequestsTotal: counter(
    'upstream_requests_total',
    'Requests passed on by the gateway, by upstream and outcome. Rising `unreachable` or `timeout` means that the upstream is away.',
    ['upstream', 'outcome'],
  ),
  poolInUseConnections: gauge(
    'pool_in_use_connections',
    'Connections at work. A rise to the size of the pool, for long, means that the pool or the database is the limit.',
    ['pool'],
  ),
  poolIdleConnections: gauge(
    'pool_idle_connections',
    'Connections open without work. A fall to zero together with waiting requests means a pool that is too small.',
    ['pool'],
  ),
  poolWaitingRequests: gauge(
    'pool_waiting_requests',
    'Requests that wait for a connection. Above zero for long means a pool that is too small or statements that are slow.',
    ['pool'],
  ),
  partLive: gauge(
    'part_live',
    'One while a part makes progress, zero when it does not. Zero for long ends in a restart by the supervisor.',
    ['part'],
  ),
} as const

export type Catalogue = typeof catalogue
