-- The whole list that a dish of a user at a restaurant belongs to, in its order: for the ranking and for the list's ETag.
select user_rankings.*
from user_rankings
join dishes on dishes.dish_type = user_rankings.dish_type and dishes.dish_id = $3::uuid
where user_rankings.user_id = $1::uuid and user_rankings.restaurant_id = $2::uuid
order by rank
