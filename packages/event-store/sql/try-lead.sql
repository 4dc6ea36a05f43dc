-- Session lock: held until this session ends, however it ends.
select pg_try_advisory_lock(hashtextextended('relay of ' || current_schema() || ' ' || $1, 0)) as is_leader
