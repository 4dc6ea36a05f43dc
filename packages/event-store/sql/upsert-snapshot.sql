insert into snapshots (stream, version, state) values ($1, $2, $3)
on conflict (stream, version) do update set state = excluded.state, created_at = clock_timestamp()
