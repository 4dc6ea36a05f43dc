-- Puts a dish on a restaurant's menu, or replaces what the menu says of it. $1 restaurant, $6 dish; the rest as in
-- put-user.sql. An unknown restaurant or dish fails with a foreign key violation.
insert into menu_items as stored (restaurant_id, dish_id, price, description, image_url, is_seasonal, is_available)
select $1::uuid, $6::uuid, given.price, given.description, given.image_url, coalesce(given.is_seasonal, false),
  coalesce(given.is_available, true)
from jsonb_to_record($2::jsonb) as given (
  price numeric(10, 2), description text, image_url text, is_seasonal boolean, is_available boolean
)
where not $3::boolean or exists (select from menu_items where restaurant_id = $1::uuid and dish_id = $6::uuid)
on conflict (restaurant_id, dish_id) do update set
  price = excluded.price,
  description = excluded.description,
  image_url = excluded.image_url,
  is_seasonal = excluded.is_seasonal,
  is_available = excluded.is_available,
  version = stored.version + 1,
  updated_at = now()
where not $4::boolean
  and ($5::bigint[] is null or stored.version = any ($5::bigint[]))
  and (stored.price, stored.description, stored.image_url, stored.is_seasonal, stored.is_available)
      is distinct from
      (excluded.price, excluded.description, excluded.image_url, excluded.is_seasonal, excluded.is_available)
returning stored.*, (xmax = 0) as is_created
