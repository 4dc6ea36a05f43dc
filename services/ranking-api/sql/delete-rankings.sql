-- The rankings that a flush withdrew, before the others take their places.
delete from user_rankings where ranking_id = any ($1::uuid[])
