-- One page of a restaurant's menu, by dish id. $2 the last dish of the page before, $3 rows at most.
select menu_items.*, dishes.name as dish_name, dishes.dish_type
from menu_items
join dishes using (dish_id)
where menu_items.restaurant_id = $1::uuid and ($2::uuid is null or menu_items.dish_id > $2::uuid)
order by menu_items.dish_id
limit $3::integer
