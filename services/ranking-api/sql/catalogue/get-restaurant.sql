select * from restaurants where restaurant_id = $1::uuid
