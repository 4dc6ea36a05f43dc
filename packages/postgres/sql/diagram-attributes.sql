select
  c.relname as table_name,
  a.attname as name,
  format_type(a.atttypid, a.atttypmod) as type,
  array_to_string(array(
    select key
    from (values
      (1, 'PK', 'p'::"char"),
      (2, 'FK', 'f'::"char"),
      (3, 'UK', 'u'::"char")
    ) as keys (place, key, contype)
    where exists (
      select from pg_constraint con
      where con.conrelid = c.oid and con.contype = keys.contype and a.attnum = any (con.conkey)
    )
    order by place
  ), ', ') as keys
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
order by c.relname, a.attnum
