-- Who holds the horizon, as far as this role may see it; prepared transactions hold it too.
select pid, application_name, state, extract(epoch from clock_timestamp() - xact_start)::double precision as age_seconds
from pg_stat_activity
where backend_xid is not null
order by xact_start
limit 1
