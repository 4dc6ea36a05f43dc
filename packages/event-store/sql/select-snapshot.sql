select stream, version, state, created_at
from snapshots
where stream = $1 and ($2::bigint is null or version <= $2)
order by version desc
limit 1
