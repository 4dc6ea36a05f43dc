-- Creates or replaces a user. $1 user, $2 the given fields, $3 must exist, $4 must not exist, $5 versions it may have.
-- No row: a condition did not hold, or nothing differs. The caller reads the row to tell which.
insert into users as stored (user_id, username, display_name, email, profile_image_url, bio, location)
select $1::uuid, given.username, given.display_name, given.email, given.profile_image_url, given.bio, given.location
from jsonb_to_record($2::jsonb) as given (
  username text, display_name text, email text, profile_image_url text, bio text, location text
)
where not $3::boolean or exists (select from users where user_id = $1::uuid)
on conflict (user_id) do update set
  username = excluded.username,
  display_name = excluded.display_name,
  email = excluded.email,
  profile_image_url = excluded.profile_image_url,
  bio = excluded.bio,
  location = excluded.location,
  version = stored.version + 1,
  updated_at = now()
where not $4::boolean
  and ($5::bigint[] is null or stored.version = any ($5::bigint[]))
  and (stored.username, stored.display_name, stored.email, stored.profile_image_url, stored.bio, stored.location)
      is distinct from
      (excluded.username, excluded.display_name, excluded.email, excluded.profile_image_url, excluded.bio, excluded.location)
returning stored.*, (xmax = 0) as is_created
