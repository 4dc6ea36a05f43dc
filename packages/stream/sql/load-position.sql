-- One snapshot of position and marks: they are written together and must be read together.
select
  next_offset,
  cluster_id,
  topic_id,
  coalesce(
    (
      select jsonb_agg(jsonb_build_object('source', source, 'epoch', epoch::text, 'xid', xid::text, 'position', position::text))
      from source_marks m
      where m.consumer_group = p.consumer_group and m.topic = p.topic and m.partition = p.partition
    ),
    '[]'
  ) as marks
from consumer_positions p
where consumer_group = $1 and topic = $2 and partition = $3
