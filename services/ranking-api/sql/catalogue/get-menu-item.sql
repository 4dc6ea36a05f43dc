select * from menu_items where restaurant_id = $1::uuid and dish_id = $2::uuid
