select
  exists (
    select from source_marks
    where consumer_group = $1 and topic = $2 and partition = $3
      and source = $4 and epoch = $5 and (xid, position) >= ($6::bigint, $7::bigint)
  ) as is_reached,
  exists (
    select from dead_letters
    where consumer_group = $1 and topic = $2 and partition = $3 and key = $8::bytea
      and source = $4 and epoch = $5 and (xid, position) <= ($6::bigint, $7::bigint)
  ) as is_dead
