-- Where this service is in the log. `next_offset` moves only by compare-and-set, in the transaction that applies the
-- records below it. The ids tell a topic or cluster that was made anew from the one these offsets belong to.
create table consumer_positions (
  consumer_group text        not null,
  topic          text        not null,
  partition      integer     not null check (partition >= 0),
  next_offset    bigint      not null check (next_offset >= 0),
  cluster_id     text        not null,
  topic_id       text        not null,
  updated_at     timestamptz not null default now(),
  primary key (consumer_group, topic, partition)
) with (fillfactor = 50);

-- The highest event position seen of each source, per partition: what comes again at or below it is a duplicate.
-- Sources never compare with each other, and neither do epochs of one source.
create table source_marks (
  consumer_group text    not null,
  topic          text    not null,
  partition      integer not null,
  source         text    not null,
  epoch          bigint  not null,
  xid            bigint  not null,
  position       bigint  not null,
  primary key (consumer_group, topic, partition, source, epoch)
) with (fillfactor = 50);

-- Records that will never succeed, with their original bytes. On their way to a dead letter topic the columns become
-- headers: topic x-original-topic, retry_count x-retry-count, failed_at x-failed-at.
create table dead_letters (
  id              bigint      generated always as identity primary key,
  consumer_group  text        not null,
  topic           text        not null,
  topic_id        text        not null,
  partition       integer     not null,
  record_offset   bigint      not null,
  key             bytea,
  value           bytea,
  headers         jsonb       not null,
  record_time     timestamptz not null,
  event_id        text,
  source          text,
  epoch           bigint,
  xid             bigint,
  position        bigint,
  error_class     text        not null,
  code            text        not null,
  message         text        not null,
  retry_count     integer     not null default 0,
  failed_at       timestamptz not null default now(),
  unique (consumer_group, topic, topic_id, partition, record_offset)
);
comment on column dead_letters.headers is 'Name to text; what is not UTF-8 is {"base64": …}.';

-- Read-your-writes asks for a key's dead letters at each read.
create index dead_letters_by_key on dead_letters (consumer_group, topic, partition, key);
