-- The best dishes of a type in a city (001: "best dishes by type in a location"): first by how many users have it as their
-- One Best, then by mean rating, then by how many rank it. $1 city, $2 dish type, $3 rows at most, $4 rows to pass over.
with ranked as (
  select user_rankings.dish_id, user_rankings.restaurant_id, user_rankings.rank, user_rankings.rating_hundredths,
    user_rankings.user_id
  from restaurants
  join user_rankings using (restaurant_id)
  where restaurants.city = $1::text and user_rankings.dish_type = $2::text
)
select ranked.dish_id, dishes.name as dish_name, ranked.restaurant_id, restaurants.name as restaurant_name,
  menu_items.price, menu_items.is_available,
  count(*) filter (where ranked.rank = 1)::integer as one_best_count,
  count(*)::integer as ranking_count,
  count(ranked.rating_hundredths)::integer as rating_count,
  coalesce(sum(ranked.rating_hundredths), 0)::bigint as rating_sum_hundredths
from ranked
join dishes using (dish_id)
join restaurants using (restaurant_id)
join menu_items using (restaurant_id, dish_id)
group by ranked.dish_id, dishes.name, ranked.restaurant_id, restaurants.name, menu_items.price, menu_items.is_available
order by one_best_count desc, avg(ranked.rating_hundredths) desc nulls last, ranking_count desc,
  ranked.dish_id, ranked.restaurant_id
limit $3::integer offset $4::integer
