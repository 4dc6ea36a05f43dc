select
  c.relname as name,
  case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid, true) end as definition,
  nullif(array_to_string(array(select unnest(c.reloptions) order by 1), ', '), '') as options,
  obj_description(c.oid, 'pg_class') as comment
from pg_class c
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p', 'v', 'm')
order by c.relname
