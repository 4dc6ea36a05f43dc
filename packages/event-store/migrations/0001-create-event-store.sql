-- The event store of one service: what happened, in the order in which it may be told to others. Also its outbox.

-- One row per stream; the compare-and-set on its version is what lets two writers meet without a lost update.
create table aggregates (
  id         uuid primary key,
  version    bigint not null check (version > 0),
  updated_at timestamptz not null
) with (fillfactor = 70); -- updates stay on their page and leave the index alone

comment on table aggregates is 'The version that each stream has reached.';

-- (xid, position) is the order of publication. Position alone is not: identity values are handed out before commit, so a
-- lower one can become visible later than a higher one. All rows of transactions below the horizon are visible for good.
create table events (
  xid            xid8 not null default pg_current_xact_id(),
  position       bigint not null generated always as identity,
  event_id       uuid not null,
  stream         uuid not null,
  version        bigint not null check (version > 0),
  type           text not null,
  topic          text not null,
  key            text not null,
  user_id        uuid,
  session_id     text,
  correlation_id text,
  causation_id   text,
  command_id     text,
  occurred_at    timestamptz not null,
  accepted_at    timestamptz not null,
  schema_id      integer not null,
  payload        bytea not null,
  metadata       jsonb,
  primary key (xid, position),
  unique (stream, version)
);

comment on table events is 'Append-only. The payload is Avro in wire format, written with schema schema_id.';
comment on column events.topic is 'Logical name; the relay adds the prefix of the environment.';

-- Both indexes by value at the end of the table: an insert costs next to nothing, a date range reads only its blocks.
create index events_accepted_at on events using brin (accepted_at) with (pages_per_range = 32, autosummarize = on);
-- A user's own stream bears the user's id and is found by (stream, version); only foreign streams need a row here.
create index events_user_id on events (user_id, xid, position) where user_id <> stream;

-- The schemas that payloads were written with, so that the log stays readable on another registry.
create table schemas (
  schema_id  integer primary key,
  definition text not null
);

comment on table schemas is 'Avro schemas by the id that stands in the payloads.';

create table snapshots (
  stream     uuid not null,
  version    bigint not null check (version > 0),
  state      jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (stream, version)
);

comment on table snapshots is 'States of streams at some versions; derived, and safe to delete.';

-- Raised by a restore: positions of different epochs never compare.
create table epoch (
  is_only_row boolean primary key default true check (is_only_row),
  epoch       integer not null check (epoch > 0)
);

insert into epoch (epoch) values (1);

-- How far each relay has published. Moved by compare-and-set only.
create table relay_cursors (
  source     text primary key,
  xid        xid8 not null,
  position   bigint not null,
  updated_at timestamptz not null
) with (fillfactor = 50);

-- Append-only by grant. The service's role bears the schema's name; it was granted all four on creation.
do $$
begin
  execute format('revoke update, delete on events, schemas from %I', current_schema());
  execute format('revoke insert, update, delete on epoch from %I', current_schema());
  execute format('revoke delete on relay_cursors, aggregates from %I', current_schema());
end
$$;
