-- No row: another relay has moved the cursor since this one read it.
update relay_cursors
set xid = $4, position = $5, updated_at = clock_timestamp()
where source = $1 and xid = $2 and position = $3
