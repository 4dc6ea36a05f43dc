select schema_id, definition from schemas where schema_id = any ($1::integer[])
