-- One page of a user's rankings, list by list and each list in its order. $2 dish type, $3 restaurant: null for any.
-- $4, $5, $6: (dish type, restaurant, rank) of the last ranking of the page before, null for the first page. $7 rows at most.
select user_rankings.*
from user_rankings
where user_id = $1::uuid
  and ($2::text is null or dish_type = $2::text)
  and ($3::uuid is null or restaurant_id = $3::uuid)
  and ($4::text is null or (dish_type, restaurant_id, rank) > ($4::text, $5::uuid, $6::integer))
order by dish_type, restaurant_id, rank
limit $7::integer
