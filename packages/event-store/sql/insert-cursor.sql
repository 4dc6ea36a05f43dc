insert into relay_cursors (source, xid, position, updated_at) values ($1, '0', 0, clock_timestamp())
on conflict (source) do nothing
