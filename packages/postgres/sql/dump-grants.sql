-- What others than the owner may do.
select
  c.relname as table_name,
  case when acl.grantee = 0 then 'public' else acl.grantee::regrole::text end as grantee,
  string_agg(lower(acl.privilege_type), ', ' order by lower(acl.privilege_type)) as privileges
from pg_class c
cross join lateral aclexplode(c.relacl) acl
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p', 'v', 'm') and acl.grantee <> c.relowner
group by c.relname, acl.grantee
order by c.relname, grantee
