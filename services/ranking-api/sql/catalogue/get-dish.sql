select * from dishes where dish_id = $1::uuid
