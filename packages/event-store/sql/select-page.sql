-- The next events in the order of publication, only of transactions below the horizon: all of them have ended, so
-- nothing can appear any more below what is read here. Columns are qualified: an output alias of another type would
-- sort otherwise. Read in binary format; the texts are made here because the server is not the bottleneck.
select
  events.xid,
  events.position,
  events.topic,
  events.key,
  events.type,
  events.event_id::text,
  events.xid::text || '/' || events.position,
  events.accepted_at,
  events.schema_id,
  events.payload,
  events.metadata ->> 'traceparent'
from events
where (events.xid, events.position) > ($1::xid8, $2::bigint)
  and events.xid < pg_snapshot_xmin(pg_current_snapshot())
order by events.xid, events.position
limit $3::bigint
