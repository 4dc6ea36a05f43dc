-- Creates or replaces a restaurant. Parameters and the meaning of no row as in put-user.sql.
insert into restaurants as stored (
  restaurant_id, name, address, city, state, country, postal_code, latitude, longitude, phone, website, hours,
  cuisine_type, price_range
)
select $1::uuid, given.name, given.address, given.city, given.state, given.country, given.postal_code, given.latitude,
  given.longitude, given.phone, given.website, given.hours, coalesce(given.cuisine_type, '{}'), given.price_range
from jsonb_to_record($2::jsonb) as given (
  name text, address text, city text, state text, country text, postal_code text, latitude numeric(10, 8),
  longitude numeric(11, 8), phone text, website text, hours jsonb, cuisine_type text[], price_range smallint
)
where not $3::boolean or exists (select from restaurants where restaurant_id = $1::uuid)
on conflict (restaurant_id) do update set
  name = excluded.name,
  address = excluded.address,
  city = excluded.city,
  state = excluded.state,
  country = excluded.country,
  postal_code = excluded.postal_code,
  latitude = excluded.latitude,
  longitude = excluded.longitude,
  phone = excluded.phone,
  website = excluded.website,
  hours = excluded.hours,
  cuisine_type = excluded.cuisine_type,
  price_range = excluded.price_range,
  version = stored.version + 1,
  updated_at = now()
where not $4::boolean
  and ($5::bigint[] is null or stored.version = any ($5::bigint[]))
  and (stored.name, stored.address, stored.city, stored.state, stored.country, stored.postal_code, stored.latitude,
       stored.longitude, stored.phone, stored.website, stored.hours, stored.cuisine_type, stored.price_range)
      is distinct from
      (excluded.name, excluded.address, excluded.city, excluded.state, excluded.country, excluded.postal_code,
       excluded.latitude, excluded.longitude, excluded.phone, excluded.website, excluded.hours, excluded.cuisine_type,
       excluded.price_range)
returning stored.*, (xmax = 0) as is_created
