-- Streams that begin: whoever inserts the row first wins, the other waits for that commit and inserts nothing.
-- $1 uuid[] streams in ascending order, $2 bigint[] new versions, $3 timestamptz[] times
with created as (
  insert into aggregates (id, version, updated_at)
  select moves.stream, moves.version, moves.at
  from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) with ordinality as moves (stream, version, at, place)
  order by moves.place
  on conflict (id) do nothing
  returning id
)
select pg_current_xact_id() as xid, array(select id from created) as won
