-- The first assignment ever begins at the log's start. Two members at once: the second finds the first one's row.
insert into consumer_positions (consumer_group, topic, partition, next_offset, cluster_id, topic_id)
values ($1, $2, $3, $4, $5, $6)
on conflict (consumer_group, topic, partition) do nothing
