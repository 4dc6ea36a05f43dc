insert into source_marks as stored (consumer_group, topic, partition, source, epoch, xid, position)
select $1, $2, $3, source, epoch, xid, position
from unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) as given (source, epoch, xid, position)
on conflict (consumer_group, topic, partition, source, epoch) do update
set xid = excluded.xid, position = excluded.position
where (stored.xid, stored.position) < (excluded.xid, excluded.position)
