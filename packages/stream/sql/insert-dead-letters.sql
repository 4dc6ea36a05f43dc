insert into dead_letters (
  consumer_group, topic, topic_id, partition, record_offset, key, value, headers, record_time,
  event_id, source, epoch, xid, position, error_class, code, message
)
select $1, $2, $3, $4, dead.*
from unnest(
  $5::bigint[], $6::bytea[], $7::bytea[], $8::jsonb[], $9::timestamptz[],
  $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[]
) as dead
on conflict (consumer_group, topic, topic_id, partition, record_offset) do nothing
