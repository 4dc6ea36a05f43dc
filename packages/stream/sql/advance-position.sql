-- No row updated: another consumer has moved the position, and whoever asks is stale.
update consumer_positions
set next_offset = $5, updated_at = now()
where consumer_group = $1 and topic = $2 and partition = $3 and next_offset = $4 and topic_id = $6
