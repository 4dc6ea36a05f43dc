-- Appends events in the order of the arrays; identity values follow it, because they are drawn after the sort.
with inserted as (
  insert into events (
    event_id, stream, version, type, topic, key, user_id, session_id, correlation_id, causation_id, command_id,
    occurred_at, accepted_at, schema_id, payload, metadata
  )
  select
    event_id, stream, version, type, topic, key, user_id, session_id, correlation_id, causation_id, command_id,
    occurred_at, accepted_at, schema_id, payload, metadata
  from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::integer[], $15::bytea[], $16::jsonb[]
  ) with ordinality as rows (
    event_id, stream, version, type, topic, key, user_id, session_id, correlation_id, causation_id, command_id,
    occurred_at, accepted_at, schema_id, payload, metadata, place
  )
  order by place
  returning position
)
select pg_current_xact_id() as xid, array(select position from inserted) as positions
