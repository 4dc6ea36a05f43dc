-- A page of a user's history, newest first, below a sequence: it never changes and never repeats.
select
  event_id as "eventId", event_type as type, user_id as "userId", sequence::float8 as version, cause,
  dish_id as "dishId", dish_name as "dishName", dish_type as "dishType",
  restaurant_id as "restaurantId", restaurant_name as "restaurantName",
  old_rank as "oldRank", new_rank as "newRank",
  old_rating_hundredths as "oldRatingHundredths", new_rating_hundredths as "newRatingHundredths",
  occurred_at as "occurredAt", accepted_at as "acceptedAt", command_id as "commandId"
from ranking_history
where user_id = $1
  and sequence < $2::bigint
  and ($3::uuid is null or dish_id = $3)
  and ($4::uuid is null or restaurant_id = $4)
  and ($5::text is null or dish_type = $5)
order by sequence desc
limit $6
