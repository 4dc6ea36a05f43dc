-- Schema ranking_api, read from its catalogs after all migrations. Generated; do not edit.

-- The version that each stream has reached.
create table aggregates (
  id uuid not null,
  version bigint not null,
  updated_at timestamp with time zone not null,
  constraint aggregates_pkey PRIMARY KEY (id),
  constraint aggregates_version_check CHECK (version > 0)
) with (fillfactor=70);
grant insert, select, update on aggregates to ranking_api;

-- One row for each command that was accepted, so that a repeat is answered with the same result. Refusals are not stored. Kept for the life of the log; erasure deletes the user's.
create table command_results (
  user_id uuid not null,
  command_id text not null,
  request_hash bytea not null,
  sequence bigint not null,
  result json not null,
  accepted_at timestamp with time zone not null,
  constraint command_results_pkey PRIMARY KEY (user_id, command_id),
  constraint command_results_command_id_length CHECK (length(command_id) >= 1 AND length(command_id) <= 255),
  constraint command_results_request_hash_length CHECK (length(request_hash) = 32),
  constraint command_results_sequence_not_negative CHECK (sequence >= 0)
);
-- command_results.request_hash: SHA-256 of the canonical request: the same id with another request is a mistake of the client.
-- command_results.sequence: Version of the user's stream after the command. The event of that version has the position that the receipt names, also for a command that changed nothing.
-- command_results.result: The answer as first given. json, not jsonb: it is read back whole and never searched.
grant delete, insert, select, update on command_results to ranking_api;

-- Canonical dishes: one row for a dish, however many restaurants serve it.
create table dishes (
  dish_id uuid not null,
  name text not null,
  description text,
  image_url text,
  dish_type character varying(100) not null,
  tags text[] not null default '{}'::text[],
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint dishes_pkey PRIMARY KEY (dish_id),
  constraint dishes_dish_id_dish_type_key UNIQUE (dish_id, dish_type),
  constraint dishes_dish_type_given CHECK (dish_type::text <> ''::text),
  constraint dishes_name_given CHECK (name <> ''::text),
  constraint dishes_version_positive CHECK (version > 0)
);
-- dishes.dish_type: Decides which list a ranking belongs to. Cannot change once the dish is ranked: user_rankings refers to the pair.
-- dishes.version: Rises with every change and travels in events: of two names the one with the higher version is right.
CREATE INDEX idx_dishes_tags ON dishes USING gin (tags);
CREATE INDEX idx_dishes_type ON dishes USING btree (dish_type, dish_id);
grant delete, insert, select, update on dishes to ranking_api;

create table epoch (
  is_only_row boolean not null default true,
  epoch integer not null,
  constraint epoch_pkey PRIMARY KEY (is_only_row),
  constraint epoch_epoch_check CHECK (epoch > 0),
  constraint epoch_is_only_row_check CHECK (is_only_row)
);
grant select on epoch to ranking_api;

-- Append-only. The payload is Avro in wire format, written with schema schema_id.
create table events (
  xid xid8 not null default pg_current_xact_id(),
  position bigint not null generated always as identity,
  event_id uuid not null,
  stream uuid not null,
  version bigint not null,
  type text not null,
  topic text not null,
  key text not null,
  user_id uuid,
  session_id text,
  correlation_id text,
  causation_id text,
  command_id text,
  occurred_at timestamp with time zone not null,
  accepted_at timestamp with time zone not null,
  schema_id integer not null,
  payload bytea not null,
  metadata jsonb,
  constraint events_pkey PRIMARY KEY (xid, "position"),
  constraint events_stream_version_key UNIQUE (stream, version),
  constraint events_version_check CHECK (version > 0)
);
-- events.topic: Logical name; the relay adds the prefix of the environment.
CREATE INDEX events_accepted_at ON events USING brin (accepted_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX events_user_id ON events USING btree (user_id, xid, "position") WHERE user_id <> stream;
grant insert, select on events to ranking_api;

-- Which restaurant serves which dish. A dish can be ranked only where it is on the menu.
create table menu_items (
  restaurant_id uuid not null,
  dish_id uuid not null,
  price numeric(10,2),
  description text,
  image_url text,
  is_seasonal boolean not null default false,
  is_available boolean not null default true,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint menu_items_pkey PRIMARY KEY (restaurant_id, dish_id),
  constraint menu_items_dish_id_fkey FOREIGN KEY (dish_id) REFERENCES dishes(dish_id),
  constraint menu_items_restaurant_id_fkey FOREIGN KEY (restaurant_id) REFERENCES restaurants(restaurant_id),
  constraint menu_items_price_not_negative CHECK (price >= 0::numeric),
  constraint menu_items_version_positive CHECK (version > 0)
);
-- menu_items.is_available: False while it is not served. A past visit may still be ranked.
CREATE INDEX idx_menu_items_dish ON menu_items USING btree (dish_id, restaurant_id);
grant delete, insert, select, update on menu_items to ranking_api;

create table relay_cursors (
  source text not null,
  xid xid8 not null,
  position bigint not null,
  updated_at timestamp with time zone not null,
  constraint relay_cursors_pkey PRIMARY KEY (source)
) with (fillfactor=50);
grant insert, select, update on relay_cursors to ranking_api;

-- Where dishes are served.
create table restaurants (
  restaurant_id uuid not null,
  name text not null,
  address text,
  city text,
  state text,
  country text,
  postal_code character varying(20),
  latitude numeric(10,8),
  longitude numeric(11,8),
  phone character varying(20),
  website text,
  hours jsonb,
  cuisine_type text[] not null default '{}'::text[],
  price_range smallint,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint restaurants_pkey PRIMARY KEY (restaurant_id),
  constraint restaurants_latitude_range CHECK (latitude >= '-90'::integer::numeric AND latitude <= 90::numeric),
  constraint restaurants_longitude_range CHECK (longitude >= '-180'::integer::numeric AND longitude <= 180::numeric),
  constraint restaurants_name_given CHECK (name <> ''::text),
  constraint restaurants_price_range CHECK (price_range >= 1 AND price_range <= 4),
  constraint restaurants_version_positive CHECK (version > 0)
);
-- restaurants.hours: Opening hours as the client gave them.
-- restaurants.cuisine_type: All cuisines of the restaurant; empty when unknown, never null.
-- restaurants.price_range: 1 (cheap) to 4 (expensive).
-- restaurants.version: Rises with every change and travels in events: of two names the one with the higher version is right.
CREATE INDEX idx_restaurants_cuisine ON restaurants USING gin (cuisine_type);
CREATE INDEX idx_restaurants_geo ON restaurants USING btree (latitude, longitude);
CREATE INDEX idx_restaurants_location ON restaurants USING btree (city, state, country);
grant delete, insert, select, update on restaurants to ranking_api;

create table schema_migrations (
  component text not null,
  id text not null,
  checksum text not null,
  ordinal bigint not null generated always as identity,
  applied_at timestamp with time zone not null default clock_timestamp(),
  constraint schema_migrations_pkey PRIMARY KEY (component, id)
);
grant select on schema_migrations to ranking_api;

-- Avro schemas by the id that stands in the payloads.
create table schemas (
  schema_id integer not null,
  definition text not null,
  constraint schemas_pkey PRIMARY KEY (schema_id)
);
grant insert, select on schemas to ranking_api;

-- States of streams at some versions; derived, and safe to delete.
create table snapshots (
  stream uuid not null,
  version bigint not null,
  state jsonb not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  constraint snapshots_pkey PRIMARY KEY (stream, version),
  constraint snapshots_version_check CHECK (version > 0)
);
grant delete, insert, select, update on snapshots to ranking_api;

-- AES-256 key of each user's personal text in events. Made with the first text. Deleting it is what erases the text from the log.
create table user_keys (
  user_id uuid not null,
  key bytea not null,
  created_at timestamp with time zone not null,
  constraint user_keys_pkey PRIMARY KEY (user_id),
  constraint user_keys_key_length CHECK (length(key) = 32)
);
grant delete, insert, select, update on user_keys to ranking_api;

-- The rankings that are alive: a user's dish at a restaurant, its place in the user's list and its rating. The events of the user's stream, replayed, give exactly these rows.
create table user_rankings (
  ranking_id uuid not null,
  user_id uuid not null,
  dish_id uuid not null,
  dish_type character varying(100) not null,
  restaurant_id uuid not null,
  rank integer not null,
  rating_hundredths smallint,
  notes text,
  photo_url text,
  first_ranked_at timestamp with time zone not null,
  last_ranked_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  version bigint not null,
  constraint user_rankings_pkey PRIMARY KEY (ranking_id),
  constraint user_rankings_place_key UNIQUE (user_id, dish_type, restaurant_id, rank) DEFERRABLE,
  constraint user_rankings_dish_fkey FOREIGN KEY (dish_id, dish_type) REFERENCES dishes(dish_id, dish_type),
  constraint user_rankings_menu_item_fkey FOREIGN KEY (restaurant_id, dish_id) REFERENCES menu_items(restaurant_id, dish_id),
  constraint user_rankings_rank_positive CHECK (rank > 0),
  constraint user_rankings_ranked_in_order CHECK (first_ranked_at <= last_ranked_at),
  constraint user_rankings_rating_range CHECK (rating_hundredths >= 50 AND rating_hundredths <= 500),
  constraint user_rankings_version_positive CHECK (version > 0)
) with (fillfactor=85);
-- user_rankings.user_id: No foreign key: rankings and erasure of a user are serialised by the compare-and-set on the user's stream.
-- user_rankings.rank: Place in the list (user, restaurant, dish type); 1 is the One Best. Gaps come only from ranks that the user gave.
-- user_rankings.rating_hundredths: 50 (0.5) to 500 (5); null without a rating.
-- user_rankings.notes: In the clear; sealed with the user's key in events.
-- user_rankings.photo_url: In the clear; sealed with the user's key in events.
-- user_rankings.first_ranked_at: Least event time of the user's own acts on this ranking.
-- user_rankings.last_ranked_at: Greatest event time of the user's own acts on this ranking. A confirmation must be later.
-- user_rankings.created_at: Acceptance of the ranking's first event.
-- user_rankings.updated_at: Acceptance of the ranking's latest event.
-- user_rankings.version: Sequence of the ranking's latest event in the user's stream.
CREATE INDEX idx_rankings_dish ON user_rankings USING btree (dish_id);
CREATE INDEX idx_rankings_restaurant_dish_type ON user_rankings USING btree (restaurant_id, dish_type, user_id);
CREATE UNIQUE INDEX idx_user_rankings_user_dish_restaurant ON user_rankings USING btree (user_id, dish_id, restaurant_id);
grant delete, insert, select, update on user_rankings to ranking_api;

-- Who ranks. A row is a registered user; erasure deletes it, and the stream of the user says so.
create table users (
  user_id uuid not null,
  email character varying(255),
  username character varying(50),
  display_name character varying(100),
  password_hash text,
  profile_image_url text,
  bio text,
  location character varying(100),
  career_level_id uuid,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint users_pkey PRIMARY KEY (user_id),
  constraint users_email_key UNIQUE (email),
  constraint users_username_key UNIQUE (username),
  constraint users_version_positive CHECK (version > 0)
);
-- users.email: Null for users who came without one, for instance from an import.
-- users.password_hash: Always null: sign-in belongs to the identity provider whose tokens are checked. Kept for the shape of the source design.
-- users.career_level_id: The level that the user has reached; null until career levels exist. No foreign key yet, because their table does not exist yet.
-- users.version: Rises with every change; of two copies of a user the one with the higher version is right.
CREATE INDEX idx_users_career_level ON users USING btree (career_level_id) WHERE career_level_id IS NOT NULL;
grant delete, insert, select, update on users to ranking_api;
