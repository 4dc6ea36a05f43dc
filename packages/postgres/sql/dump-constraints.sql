-- Not-null constraints (PostgreSQL 18 names them) are shown with their columns.
select c.relname as table_name, con.conname as name, pg_get_constraintdef(con.oid, true) as definition
from pg_constraint con
join pg_class c on c.oid = con.conrelid
where c.relnamespace = to_regnamespace($1) and con.contype in ('p', 'u', 'f', 'c', 'x')
order by c.relname, array_position(array['p', 'u', 'f', 'c', 'x']::"char"[], con.contype), con.conname
