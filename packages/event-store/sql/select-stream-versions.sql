select id, version from aggregates where id = any ($1::uuid[])
