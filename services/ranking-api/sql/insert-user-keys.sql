-- Plain insert: a key that is there already means that the events of this flush are sealed with another one, which must
-- not commit.
insert into user_keys (user_id, key, created_at)
select * from unnest($1::uuid[], $2::bytea[], $3::timestamptz[])
