-- Users, restaurants, dishes and what is served where: the entities that rankings speak of.
--
-- A dish is canonical (name, type, tags) and is served at many restaurants; `menu_items` says where, at what price. So one
-- user can rank the same dish at several restaurants, which a dish that belonged to one restaurant would not allow.

create table users (
  user_id uuid constraint users_pkey primary key,
  email varchar(255) constraint users_email_key unique,
  username varchar(50) constraint users_username_key unique,
  display_name varchar(100),
  password_hash text,
  profile_image_url text,
  bio text,
  location varchar(100),
  career_level_id uuid,
  version bigint not null default 1 constraint users_version_positive check (version > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- The unique constraint on username is the index that looks users up by name (001: idx_users_username).
create index idx_users_career_level on users (career_level_id) where career_level_id is not null;

comment on table users is 'Who ranks. A row is a registered user; erasure deletes it, and the stream of the user says so.';
comment on column users.email is 'Null for users who came without one, for instance from an import.';
comment on column users.password_hash is 'Always null: sign-in belongs to the identity provider whose tokens are checked. Kept for the shape of the source design.';
comment on column users.career_level_id is 'The level that the user has reached; null until career levels exist. No foreign key yet, because their table does not exist yet.';
comment on column users.version is 'Rises with every change; of two copies of a user the one with the higher version is right.';

create table restaurants (
  restaurant_id uuid constraint restaurants_pkey primary key,
  name text not null constraint restaurants_name_given check (name <> ''),
  address text,
  city text,
  state text,
  country text,
  postal_code varchar(20),
  latitude numeric(10, 8) constraint restaurants_latitude_range check (latitude between -90 and 90),
  longitude numeric(11, 8) constraint restaurants_longitude_range check (longitude between -180 and 180),
  phone varchar(20),
  website text,
  hours jsonb,
  cuisine_type text[] not null default '{}',
  price_range smallint constraint restaurants_price_range check (price_range between 1 and 4),
  version bigint not null default 1 constraint restaurants_version_positive check (version > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index idx_restaurants_location on restaurants (city, state, country);
create index idx_restaurants_cuisine on restaurants using gin (cuisine_type);
create index idx_restaurants_geo on restaurants (latitude, longitude);

comment on table restaurants is 'Where dishes are served.';
comment on column restaurants.cuisine_type is 'All cuisines of the restaurant; empty when unknown, never null.';
comment on column restaurants.hours is 'Opening hours as the client gave them.';
comment on column restaurants.price_range is '1 (cheap) to 4 (expensive).';
comment on column restaurants.version is 'Rises with every change and travels in events: of two names the one with the higher version is right.';

create table dishes (
  dish_id uuid constraint dishes_pkey primary key,
  name text not null constraint dishes_name_given check (name <> ''),
  description text,
  image_url text,
  dish_type varchar(100) not null constraint dishes_dish_type_given check (dish_type <> ''),
  tags text[] not null default '{}',
  version bigint not null default 1 constraint dishes_version_positive check (version > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint dishes_dish_id_dish_type_key unique (dish_id, dish_type)
);
-- With the id, so that the check of a foreign key by (dish_id, dish_type) costs one look-up whichever index it takes: with
-- statistics from when the table was small the planner cannot tell them apart, and many dishes share one type.
create index idx_dishes_type on dishes (dish_type, dish_id);
create index idx_dishes_tags on dishes using gin (tags);

comment on table dishes is 'Canonical dishes: one row for a dish, however many restaurants serve it.';
comment on column dishes.dish_type is 'Decides which list a ranking belongs to. Cannot change once the dish is ranked: user_rankings refers to the pair.';
comment on column dishes.version is 'Rises with every change and travels in events: of two names the one with the higher version is right.';
comment on constraint dishes_dish_id_dish_type_key on dishes is 'Target of user_rankings'' foreign key, which is what keeps the type of a ranked dish.';

create table menu_items (
  restaurant_id uuid not null constraint menu_items_restaurant_id_fkey references restaurants (restaurant_id),
  dish_id uuid not null constraint menu_items_dish_id_fkey references dishes (dish_id),
  price numeric(10, 2) constraint menu_items_price_not_negative check (price >= 0),
  description text,
  image_url text,
  is_seasonal boolean not null default false,
  is_available boolean not null default true,
  version bigint not null default 1 constraint menu_items_version_positive check (version > 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint menu_items_pkey primary key (restaurant_id, dish_id)
);
-- The primary key serves "the menu of a restaurant" (001: idx_dishes_restaurant); this one "where is the dish served". Both
-- columns, so that a look-up by both is cheap whichever index it takes.
create index idx_menu_items_dish on menu_items (dish_id, restaurant_id);

comment on table menu_items is 'Which restaurant serves which dish. A dish can be ranked only where it is on the menu.';
comment on column menu_items.is_available is 'False while it is not served. A past visit may still be ranked.';
