-- The last change of each of a user's rankings up to a time, withdrawn ones left out. The time picks a sequence, and the
-- sequence picks the rows: clocks of two servers may disagree by a little, but a list is only consistent between acts.
with last_event as (
  select sequence, accepted_at
  from ranking_history
  where user_id = $1 and accepted_at <= $2::timestamptz
  order by sequence desc
  limit 1
), last_change as (
  select distinct on (change.dish_id, change.restaurant_id) change.*
  from ranking_history change, last_event
  where change.user_id = $1
    and change.sequence <= last_event.sequence
    and ($3::text is null or change.dish_type = $3)
    and ($4::uuid is null or change.restaurant_id = $4)
  order by change.dish_id, change.restaurant_id, change.sequence desc
)
select
  last_event.sequence::float8 as "asOfVersion",
  last_change.event_id as "eventId", last_change.sequence::float8 as version, last_change.cause,
  last_change.dish_id as "dishId", last_change.dish_name as "dishName", last_change.dish_type as "dishType",
  last_change.restaurant_id as "restaurantId", last_change.restaurant_name as "restaurantName",
  last_change.new_rank as rank, last_change.new_rating_hundredths as "ratingHundredths",
  last_change.occurred_at as "occurredAt", last_change.accepted_at as "acceptedAt"
from last_event
left join last_change on last_change.new_rank is not null
