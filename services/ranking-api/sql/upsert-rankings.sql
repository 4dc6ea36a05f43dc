-- The rankings of a flush as they stand after it. One statement, so that a run of dishes can move by one: the uniqueness
-- of places is checked when the statement ends. What identifies a ranking and when it was made never changes.
insert into user_rankings as stored (
  ranking_id, user_id, dish_id, dish_type, restaurant_id, rank, rating_hundredths, notes, photo_url,
  first_ranked_at, last_ranked_at, created_at, updated_at, version
)
select *
from unnest(
  $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::integer[], $7::smallint[], $8::text[], $9::text[],
  $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::bigint[]
)
on conflict (ranking_id) do update set
  rank = excluded.rank,
  rating_hundredths = excluded.rating_hundredths,
  notes = excluded.notes,
  photo_url = excluded.photo_url,
  first_ranked_at = excluded.first_ranked_at,
  last_ranked_at = excluded.last_ranked_at,
  updated_at = excluded.updated_at,
  version = excluded.version
