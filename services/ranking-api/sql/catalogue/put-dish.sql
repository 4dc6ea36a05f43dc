-- Creates or replaces a dish. Parameters and the meaning of no row as in put-user.sql. A ranked dish keeps its dish type:
-- rankings reference (dish_id, dish_type), so a change fails with a foreign key violation.
insert into dishes as stored (dish_id, name, dish_type, description, tags, image_url)
select $1::uuid, given.name, given.dish_type, given.description, coalesce(given.tags, '{}'), given.image_url
from jsonb_to_record($2::jsonb) as given (
  name text, dish_type text, description text, tags text[], image_url text
)
where not $3::boolean or exists (select from dishes where dish_id = $1::uuid)
on conflict (dish_id) do update set
  name = excluded.name,
  dish_type = excluded.dish_type,
  description = excluded.description,
  tags = excluded.tags,
  image_url = excluded.image_url,
  version = stored.version + 1,
  updated_at = now()
where not $4::boolean
  and ($5::bigint[] is null or stored.version = any ($5::bigint[]))
  and (stored.name, stored.dish_type, stored.description, stored.tags, stored.image_url)
      is distinct from
      (excluded.name, excluded.dish_type, excluded.description, excluded.tags, excluded.image_url)
returning stored.*, (xmax = 0) as is_created
