-- Schema history, read from its catalogs after all migrations. Generated; do not edit.

create table consumer_positions (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  cluster_id text not null,
  topic_id text not null,
  updated_at timestamp with time zone not null default now(),
  constraint consumer_positions_pkey PRIMARY KEY (consumer_group, topic, partition),
  constraint consumer_positions_next_offset_check CHECK (next_offset >= 0),
  constraint consumer_positions_partition_check CHECK (partition >= 0)
) with (fillfactor=50);
grant delete, insert, select, update on consumer_positions to history;

create table dead_letters (
  id bigint not null generated always as identity,
  consumer_group text not null,
  topic text not null,
  topic_id text not null,
  partition integer not null,
  record_offset bigint not null,
  key bytea,
  value bytea,
  headers jsonb not null,
  record_time timestamp with time zone not null,
  event_id text,
  source text,
  epoch bigint,
  xid bigint,
  position bigint,
  error_class text not null,
  code text not null,
  message text not null,
  retry_count integer not null default 0,
  failed_at timestamp with time zone not null default now(),
  constraint dead_letters_pkey PRIMARY KEY (id),
  constraint dead_letters_consumer_group_topic_topic_id_partition_record_key UNIQUE (consumer_group, topic, topic_id, partition, record_offset)
);
-- dead_letters.headers: Name to text; what is not UTF-8 is {"base64": …}.
CREATE INDEX dead_letters_by_key ON dead_letters USING btree (consumer_group, topic, partition, key);
grant delete, insert, select, update on dead_letters to history;

-- Every change of every ranking, one row an event.
create table ranking_history (
  user_id uuid not null,
  sequence bigint not null,
  event_id uuid not null,
  event_type text not null,
  cause text not null,
  dish_id uuid not null,
  dish_name text not null,
  dish_type text not null,
  restaurant_id uuid not null,
  restaurant_name text not null,
  old_rank integer,
  new_rank integer,
  old_rating_hundredths smallint,
  new_rating_hundredths smallint,
  occurred_at timestamp with time zone not null,
  accepted_at timestamp with time zone not null,
  command_id text,
  constraint ranking_history_pkey PRIMARY KEY (user_id, sequence),
  constraint ranking_history_sequence_check CHECK (sequence > 0)
);
-- ranking_history.sequence: Version of the user's stream: gap-free over all topics, so gaps here are events of other topics.
-- ranking_history.cause: ranked or confirmed (the user's own act), shifted (by another act in the same list), withdrawn.
-- ranking_history.dish_name: The name at the time of the event.
-- ranking_history.restaurant_name: The name at the time of the event.
-- ranking_history.new_rank: Place in the list after the event; null when withdrawn.
-- ranking_history.occurred_at: When the act happened, as the client said.
-- ranking_history.accepted_at: When the platform took responsibility for it.
CREATE INDEX ranking_history_of_dish ON ranking_history USING btree (dish_id, accepted_at);
grant delete, insert, select on ranking_history to history;

create table schema_migrations (
  component text not null,
  id text not null,
  checksum text not null,
  ordinal bigint not null generated always as identity,
  applied_at timestamp with time zone not null default clock_timestamp(),
  constraint schema_migrations_pkey PRIMARY KEY (component, id)
);
grant select on schema_migrations to history;

create table source_marks (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  source text not null,
  epoch bigint not null,
  xid bigint not null,
  position bigint not null,
  constraint source_marks_pkey PRIMARY KEY (consumer_group, topic, partition, source, epoch)
) with (fillfactor=50);
grant delete, insert, select, update on source_marks to history;
