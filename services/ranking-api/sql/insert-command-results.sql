-- Plain insert: a row that is there already means that the same command was accepted beside this flush, which then must
-- not commit.
insert into command_results (user_id, command_id, request_hash, sequence, result, accepted_at)
select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::json[], $6::timestamptz[])
