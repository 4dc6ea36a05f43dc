insert into schemas (schema_id, definition) values ($1, $2) on conflict (schema_id) do nothing
