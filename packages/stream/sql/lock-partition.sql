-- One writer at a time for a partition number of the group, over all its topics.
select pg_advisory_xact_lock($1::integer, $2::integer)
