-- One page in (xid, position) order; the times bound accepted_at, null where not given.
select
  events.xid, events.position, events.event_id, events.stream, events.version, events.type, events.topic, events.key,
  events.user_id, events.session_id, events.correlation_id, events.causation_id, events.command_id,
  events.occurred_at, events.accepted_at, events.schema_id, events.payload, events.metadata
from events
where events.type = $1
  and ($2::timestamptz is null or events.accepted_at >= $2)
  and ($3::timestamptz is null or events.accepted_at <= $3)
  and (events.xid, events.position) > ($4::xid8, $5::bigint)
order by events.xid, events.position
limit $6
