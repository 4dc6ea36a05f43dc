-- Enumerations and domains, then functions, then triggers.
select definition
from (
  select 1 as kind, t.typname as name,
    format('create type %I as enum (%s);', t.typname,
      (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)) as definition
  from pg_type t
  where t.typnamespace = to_regnamespace($1) and t.typtype = 'e'
  union all
  select 2, t.typname,
    format('create domain %I as %s%s;', t.typname, format_type(t.typbasetype, t.typtypmod),
      coalesce((select string_agg(' ' || pg_get_constraintdef(con.oid), '' order by con.conname) from pg_constraint con where con.contypid = t.oid), ''))
  from pg_type t
  where t.typnamespace = to_regnamespace($1) and t.typtype = 'd'
  union all
  select 3, p.oid::regprocedure::text, trim(trailing E'\n' from pg_get_functiondef(p.oid)) || ';'
  from pg_proc p
  where p.pronamespace = to_regnamespace($1) and p.prokind in ('f', 'p')
  union all
  select 4, c.relname || '.' || g.tgname, pg_get_triggerdef(g.oid, true) || ';'
  from pg_trigger g
  join pg_class c on c.oid = g.tgrelid
  where c.relnamespace = to_regnamespace($1) and not g.tgisinternal
) as definitions
order by kind, name
