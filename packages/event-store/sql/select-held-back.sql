-- Whether anything above the cursor waits for the horizon, and for which transaction: the oldest that still runs.
select pg_snapshot_xmin(pg_current_snapshot()) as horizon
where exists (select from events where (events.xid, events.position) > ($1::xid8, $2::bigint))
