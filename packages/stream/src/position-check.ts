import type { OffsetRange, TopicPartition } from './ports.ts'

/** What a position was recorded for. */
export interface LogIdentity {
  readonly clusterId: string
  readonly topicId: string
}

/** A partition's stored position with what it belongs to. */
export interface StoredPosition extends LogIdentity {
  readonly nextOffset: bigint
}

/** The log is not the one the position belongs to, or no longer has what comes next. Nobody but an operator can tell what to do. */
export class PositionLost extends Error {
  override readonly name = 'PositionLost'
  readonly code: 'other-cluster' | 'recreated-topic' | 'below-log-start' | 'above-log-end' | 'refused-offset'

  constructor(code: PositionLost['code'], { topic, partition }: TopicPartition, what: string) {
    super(
      `partition ${partition} of ${topic} is stopped: ${what}. Nothing was skipped or reset. ` +
        'Run `npm run reconcile` to compare event store, topic and position, and to set the position.',
    )
    this.code = code
  }
}

/** Throws PositionLost unless the position lies in this very log. */
export function checkPosition(
  at: TopicPartition,
  stored: StoredPosition,
  found: LogIdentity & { readonly range: OffsetRange },
): void {
  const { nextOffset } = stored
  if (stored.clusterId !== found.clusterId) {
    throw new PositionLost(
      'other-cluster',
      at,
      `its position ${nextOffset} belongs to Kafka cluster ${stored.clusterId}, and this is cluster ${found.clusterId}`,
    )
  }
  if (stored.topicId !== found.topicId) {
    throw new PositionLost(
      'recreated-topic',
      at,
      `its position ${nextOffset} belongs to the topic with id ${stored.topicId}, and the topic of this name now has id ${found.topicId}: it was deleted and created again`,
    )
  }
  if (nextOffset < found.range.start) {
    throw new PositionLost(
      'below-log-start',
      at,
      `its position ${nextOffset} is below the log's start ${found.range.start}: ${found.range.start - nextOffset} offsets are gone before they were consumed`,
    )
  }
  if (nextOffset > found.range.end) {
    throw new PositionLost(
      'above-log-end',
      at,
      `its position ${nextOffset} is above the log's end ${found.range.end}: the log has lost records that were consumed`,
    )
  }
}
