-- Everything that a flush decides on, in one statement and so in one snapshot: for each command ($1 user, $2 restaurant,
-- $3 dish, $4 command id) the user with stream version and key, the catalogue's entries, the user's list that the dish
-- belongs to, and the result of an earlier run of the same command. One row, a JSON array a column.
with command as materialized (
  select user_id, restaurant_id, dish_id, command_id
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as given (user_id, restaurant_id, dish_id, command_id)
),
dish as materialized (
  select dish_id, name, version, dish_type
  from dishes
  where dish_id in (select dish_id from command)
),
list as (
  select distinct command.user_id, dish.dish_type, command.restaurant_id
  from command
  join dish using (dish_id)
)
select
  (select epoch from epoch) as epoch,
  (
    select json_agg(json_build_array(
      users.user_id, aggregates.version, date_part('epoch', aggregates.updated_at), encode(user_keys.key, 'hex')
    ))
    from (select distinct user_id from command) as commanding
    join users using (user_id)
    left join aggregates on aggregates.id = users.user_id
    left join user_keys on user_keys.user_id = users.user_id
  ) as users,
  (
    select json_agg(json_build_array(restaurant_id, name, version, city, country, cuisine_type))
    from restaurants
    where restaurant_id in (select restaurant_id from command)
  ) as restaurants,
  (select json_agg(json_build_array(dish_id, name, version, dish_type)) from dish) as dishes,
  (
    select json_agg(json_build_array(menu_items.restaurant_id, menu_items.dish_id))
    from (select distinct restaurant_id, dish_id from command) as wanted
    join menu_items using (restaurant_id, dish_id)
  ) as menu_items,
  (
    select json_agg(
      json_build_array(
        ranking.user_id, ranking.restaurant_id, ranking.dish_type,
        ranking.ranking_id, ranking.dish_id, dishes.name, dishes.version,
        ranking.rank, ranking.rating_hundredths, ranking.notes, ranking.photo_url,
        date_part('epoch', ranking.first_ranked_at), date_part('epoch', ranking.last_ranked_at),
        date_part('epoch', ranking.created_at), date_part('epoch', ranking.updated_at),
        ranking.version
      )
      order by ranking.rank
    )
    from list
    join user_rankings as ranking using (user_id, dish_type, restaurant_id)
    join dishes on dishes.dish_id = ranking.dish_id
  ) as rankings,
  (
    select json_agg(json_build_array(
      stored.user_id, stored.command_id, encode(stored.request_hash, 'hex'), stored.result,
      events.xid::text, events.position::text
    ))
    from command
    join command_results as stored using (user_id, command_id)
    left join events on events.stream = stored.user_id and events.version = stored.sequence
  ) as results
