-- Results of commands that changed nothing, for streams that no command of the flush moves: $1 user, $2 version of the
-- stream that the commands were decided on, $3-$5 the results. A stream that has moved since is not confirmed and nothing
-- of it is stored. The share lock keeps it where it is until commit, so that an erasure cannot slip in between.
-- Answers with the position of each confirmed stream's latest event.
with result as materialized (
  select *
  from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::json[], $6::timestamptz[])
    as result (user_id, command_id, request_hash, sequence, body, accepted_at)
),
confirmed as materialized (
  select aggregates.id, aggregates.version
  from aggregates
  where aggregates.id in (select user_id from result)
    and exists (select from result where user_id = aggregates.id and sequence = aggregates.version)
  order by aggregates.id
  for share of aggregates
),
stored as (
  insert into command_results (user_id, command_id, request_hash, sequence, result, accepted_at)
  select result.user_id, command_id, request_hash, sequence, body, accepted_at
  from result
  join confirmed on confirmed.id = result.user_id and confirmed.version = result.sequence
)
select confirmed.id as stream, events.xid, events.position
from confirmed
join events on events.stream = confirmed.id and events.version = confirmed.version
