-- The rankings that are alive, the results of commands, and the keys of sealed text.

create table user_rankings (
  ranking_id uuid constraint user_rankings_pkey primary key,
  user_id uuid not null,
  dish_id uuid not null,
  dish_type varchar(100) not null,
  restaurant_id uuid not null,
  rank integer not null constraint user_rankings_rank_positive check (rank > 0),
  rating_hundredths smallint constraint user_rankings_rating_range check (rating_hundredths between 50 and 500),
  notes text,
  photo_url text,
  first_ranked_at timestamptz not null,
  last_ranked_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  version bigint not null constraint user_rankings_version_positive check (version > 0),
  constraint user_rankings_ranked_in_order check (first_ranked_at <= last_ranked_at),
  -- Deferrable, so that it is checked at the end of a statement: a run of dishes moves by one in a single statement.
  constraint user_rankings_place_key unique (user_id, dish_type, restaurant_id, rank) deferrable initially immediate,
  constraint user_rankings_dish_fkey foreign key (dish_id, dish_type) references dishes (dish_id, dish_type),
  constraint user_rankings_menu_item_fkey foreign key (restaurant_id, dish_id) references menu_items (restaurant_id, dish_id)
)
-- Room on the page for the next version of a row: a changed rating or note then touches no index.
with (fillfactor = 85);

create unique index idx_user_rankings_user_dish_restaurant on user_rankings (user_id, dish_id, restaurant_id);

-- Every index here is written by every accepted ranking, so there are no more than these.
-- 001's idx_rankings_user and idx_rankings_user_dish_type are the first one and two columns of user_rankings_place_key: a
-- user's rankings, and those of one dish type, are read through it, already in list order.
-- idx_rankings_dish: rankings of a dish, and the check of the foreign key when a dish would change its type.
create index idx_rankings_dish on user_rankings (dish_id);
-- idx_rankings_restaurant_dish_type: the best dishes of a type in a city (its restaurants first), and the check of the
-- foreign key when a menu item would go. With the user, because the load of a list asks for all three columns: while the
-- statistics are those of a small table the planner may take this index for it, which without the user cost 554 ms
-- instead of 3 at 20,000 rankings.
create index idx_rankings_restaurant_dish_type on user_rankings (restaurant_id, dish_type, user_id);

comment on table user_rankings is 'The rankings that are alive: a user''s dish at a restaurant, its place in the user''s list and its rating. The events of the user''s stream, replayed, give exactly these rows.';
comment on column user_rankings.user_id is 'No foreign key: rankings and erasure of a user are serialised by the compare-and-set on the user''s stream.';
comment on column user_rankings.rank is 'Place in the list (user, restaurant, dish type); 1 is the One Best. Gaps come only from ranks that the user gave.';
comment on column user_rankings.rating_hundredths is '50 (0.5) to 500 (5); null without a rating.';
comment on column user_rankings.notes is 'In the clear; sealed with the user''s key in events.';
comment on column user_rankings.photo_url is 'In the clear; sealed with the user''s key in events.';
comment on column user_rankings.first_ranked_at is 'Least event time of the user''s own acts on this ranking.';
comment on column user_rankings.last_ranked_at is 'Greatest event time of the user''s own acts on this ranking. A confirmation must be later.';
comment on column user_rankings.created_at is 'Acceptance of the ranking''s first event.';
comment on column user_rankings.updated_at is 'Acceptance of the ranking''s latest event.';
comment on column user_rankings.version is 'Sequence of the ranking''s latest event in the user''s stream.';

create table command_results (
  user_id uuid not null,
  command_id text not null constraint command_results_command_id_length check (length(command_id) between 1 and 255),
  request_hash bytea not null constraint command_results_request_hash_length check (length(request_hash) = 32),
  sequence bigint not null constraint command_results_sequence_not_negative check (sequence >= 0),
  result json not null,
  accepted_at timestamptz not null,
  constraint command_results_pkey primary key (user_id, command_id)
);

comment on table command_results is 'One row for each command that was accepted, so that a repeat is answered with the same result. Refusals are not stored. Kept for the life of the log; erasure deletes the user''s.';
comment on column command_results.request_hash is 'SHA-256 of the canonical request: the same id with another request is a mistake of the client.';
comment on column command_results.sequence is 'Version of the user''s stream after the command. The event of that version has the position that the receipt names, also for a command that changed nothing.';
comment on column command_results.result is 'The answer as first given. json, not jsonb: it is read back whole and never searched.';

create table user_keys (
  user_id uuid constraint user_keys_pkey primary key,
  key bytea not null constraint user_keys_key_length check (length(key) = 32),
  created_at timestamptz not null
);

comment on table user_keys is 'AES-256 key of each user''s personal text in events. Made with the first text. Deleting it is what erases the text from the log.';
