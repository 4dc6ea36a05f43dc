-- A page of a dish's history over all users, newest first by acceptance time; user and sequence make the order total.
-- The second condition says nothing new: it is the one that the index can begin at.
select
  event_id as "eventId", event_type as type, user_id as "userId", sequence::float8 as version, cause,
  dish_id as "dishId", dish_name as "dishName", dish_type as "dishType",
  restaurant_id as "restaurantId", restaurant_name as "restaurantName",
  old_rank as "oldRank", new_rank as "newRank",
  old_rating_hundredths as "oldRatingHundredths", new_rating_hundredths as "newRatingHundredths",
  occurred_at as "occurredAt", accepted_at as "acceptedAt", command_id as "commandId"
from ranking_history
where dish_id = $1
  and (accepted_at, user_id, sequence) < ($2::timestamptz, $3::uuid, $4::bigint)
  and accepted_at <= $2::timestamptz
order by accepted_at desc, user_id desc, sequence desc
limit $5
