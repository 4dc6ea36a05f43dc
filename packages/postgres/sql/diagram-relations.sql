select
  child.relname as child,
  parent.relname as parent,
  (
    select string_agg(a.attname, ', ' order by k.place)
    from unnest(con.conkey) with ordinality as k (attnum, place)
    join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.attnum
  ) as columns,
  exists (
    select from pg_attribute a
    where a.attrelid = con.conrelid and a.attnum = any (con.conkey) and not a.attnotnull
  ) as is_optional,
  exists (
    select from pg_constraint key
    where key.conrelid = con.conrelid and key.contype in ('p', 'u') and key.conkey <@ con.conkey
  ) as is_one_to_one
from pg_constraint con
join pg_class child on child.oid = con.conrelid
join pg_class parent on parent.oid = con.confrelid
where child.relnamespace = to_regnamespace($1) and con.contype = 'f'
order by child, parent, con.conname
