-- The session whose transaction is the horizon ($1), as far as this role may see it. None is found for sessions of other
-- roles without pg_read_all_stats, and for prepared transactions, which hold the horizon too.
select pid, application_name, datname, state, extract(epoch from clock_timestamp() - xact_start)::double precision as age_seconds
from pg_stat_activity
where backend_xid = $1::xid8::xid
