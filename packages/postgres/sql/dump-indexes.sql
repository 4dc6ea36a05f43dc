-- Indexes that belong to a constraint are shown as the constraint.
select c.relname as table_name, i.relname as name, pg_get_indexdef(i.oid, 0, true) as definition
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class c on c.oid = x.indrelid
where c.relnamespace = to_regnamespace($1)
  and not exists (select from pg_constraint con where con.conindid = i.oid and con.contype in ('p', 'u', 'x'))
order by c.relname, i.relname
