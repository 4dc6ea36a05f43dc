-- The highest transaction id that the log knows, and the next one that this cluster will hand out.
select
  greatest(
    (select events.xid from events order by events.xid desc limit 1),
    (select max(relay_cursors.xid) from relay_cursors)
  ) as xid_max,
  pg_snapshot_xmax(pg_current_snapshot()) as xid_next
