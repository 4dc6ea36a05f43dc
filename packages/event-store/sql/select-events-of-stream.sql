-- $2 and $3 are null where the caller gave no bound; version 0 is a bound like any other.
select
  events.xid, events.position, events.event_id, events.stream, events.version, events.type, events.topic, events.key,
  events.user_id, events.session_id, events.correlation_id, events.causation_id, events.command_id,
  events.occurred_at, events.accepted_at, events.schema_id, events.payload, events.metadata
from events
where events.stream = $1
  and ($2::bigint is null or events.version >= $2)
  and ($3::bigint is null or events.version <= $3)
order by events.version
