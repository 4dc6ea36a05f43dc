-- One batch of events, one column an array. A row that is there already is the same event delivered again.
-- In key order: two transactions that meet on a user's rows then wait for each other instead of deadlocking.
insert into ranking_history (
  user_id, sequence, event_id, event_type, cause,
  dish_id, dish_name, dish_type, restaurant_id, restaurant_name,
  old_rank, new_rank, old_rating_hundredths, new_rating_hundredths,
  occurred_at, accepted_at, command_id
)
select *
from unnest(
  $1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[],
  $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::text[],
  $11::integer[], $12::integer[], $13::smallint[], $14::smallint[],
  $15::timestamptz[], $16::timestamptz[], $17::text[]
) as event (user_id, sequence)
order by user_id, sequence
on conflict (user_id, sequence) do nothing
