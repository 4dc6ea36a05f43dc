-- Compare-and-set on many streams at once. The rows are locked one after the other in stream order, so that two flushes
-- over the same streams wait for each other and never deadlock; `for update` looks at the row again after such a wait,
-- so a stream that the other flush has moved meanwhile is not locked, not updated and not returned: it lost.
-- The locked rows carry what they are to become: joining the moves a second time would compare each with each.
-- $1 uuid[] streams, $2 bigint[] expected versions, $3 bigint[] new versions, $4 timestamptz[] times
with locked as materialized (
  select aggregates.id, moves.version, moves.at
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[]) as moves (stream, expected, version, at)
  join aggregates on aggregates.id = moves.stream and aggregates.version = moves.expected
  order by aggregates.id
  for update of aggregates
),
advanced as (
  update aggregates
  set version = locked.version, updated_at = locked.at
  from locked
  where aggregates.id = locked.id
  returning aggregates.id
)
select pg_current_xact_id() as xid, array(select id from advanced) as won
