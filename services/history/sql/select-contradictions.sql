-- Events of a batch whose place in the user's stream is taken by another event: never in a sound log.
select event.user_id as "userId", event.sequence::text as sequence, event.event_id as "eventId", stored.event_id as "storedEventId"
from unnest($1::uuid[], $2::bigint[], $3::uuid[]) as event (user_id, sequence, event_id)
join ranking_history stored using (user_id, sequence)
where stored.event_id <> event.event_id
order by event.user_id, event.sequence
limit 10
