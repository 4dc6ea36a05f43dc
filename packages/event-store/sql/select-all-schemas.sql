select schema_id, definition from schemas order by schema_id
