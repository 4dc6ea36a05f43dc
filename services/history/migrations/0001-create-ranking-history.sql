-- Every change of every ranking, as its event said it. Rows are written once and never changed.
create table ranking_history (
  user_id               uuid        not null,
  sequence              bigint      not null check (sequence > 0),
  event_id              uuid        not null,
  event_type            text        not null,
  cause                 text        not null,
  dish_id               uuid        not null,
  dish_name             text        not null,
  dish_type             text        not null,
  restaurant_id         uuid        not null,
  restaurant_name       text        not null,
  old_rank              integer,
  new_rank              integer,
  old_rating_hundredths smallint,
  new_rating_hundredths smallint,
  occurred_at           timestamptz not null,
  accepted_at           timestamptz not null,
  command_id            text,
  -- A user's history, newest first, and a user's lists at a time: both are runs of this index.
  constraint ranking_history_pkey primary key (user_id, sequence)
);

-- A dish's history. Rows of one dish with the same acceptance time are few, so that the rest of the order
-- (user, sequence) is sorted on reading instead of being kept in a wider index.
create index ranking_history_of_dish on ranking_history (dish_id, accepted_at);

comment on table ranking_history is 'Every change of every ranking, one row an event.';
comment on column ranking_history.sequence is 'Version of the user''s stream: gap-free over all topics, so gaps here are events of other topics.';
comment on column ranking_history.cause is 'ranked or confirmed (the user''s own act), shifted (by another act in the same list), withdrawn.';
comment on column ranking_history.dish_name is 'The name at the time of the event.';
comment on column ranking_history.restaurant_name is 'The name at the time of the event.';
comment on column ranking_history.new_rank is 'Place in the list after the event; null when withdrawn.';
comment on column ranking_history.occurred_at is 'When the act happened, as the client said.';
comment on column ranking_history.accepted_at is 'When the platform took responsibility for it.';

-- Append-only for the service; erasing a user deletes, nothing ever updates.
do $$ begin execute format('revoke update on ranking_history from %I', current_schema()); end $$;
