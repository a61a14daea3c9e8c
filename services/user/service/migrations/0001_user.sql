-- "user" is a reserved word in SQL. Several unverified accounts may have the same email address.
create table account (
    user_id uuid primary key,
    version bigint not null,
    email text collate "C" not null,
    role text not null check (role in ('customer', 'admin')),
    password text not null,
    name text not null,
    locale text not null,
    time_zone text not null,
    phone text not null,
    verified boolean not null,
    disabled boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index account_verified on account (email) where verified;
create index account_email on account (email);
create index account_unverified on account (created_at) where not verified;
create index account_newest on account (created_at desc, user_id desc) where verified;

-- Secrets are stored as digests only.
create table link (
    digest bytea primary key,
    purpose text not null check (purpose in ('verify', 'reset')),
    user_id uuid not null references account on delete cascade,
    expires_at timestamptz not null
);
create index link_of_account on link (user_id);
create index link_expired on link (expires_at);

create table session (
    session_id uuid primary key,
    user_id uuid not null references account on delete cascade,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index session_of_account on session (user_id);
create index session_expired on session (expires_at);

create table refresh_token (
    digest bytea primary key,
    session_id uuid not null references session on delete cascade,
    exchanged_at timestamptz
);
create index refresh_token_of_session on refresh_token (session_id);

create table throttle (
    subject text primary key,
    count integer not null check (count > 0),
    last_at timestamptz not null
);

-- The saved addresses of a user, each with a label.
create table address (
    user_id uuid not null references account on delete cascade,
    label text collate "C" not null,
    recipient text not null,
    lines text[] not null,
    city text not null,
    postal_code text not null,
    country_code text not null,
    primary key (user_id, label)
);

grant select, insert, update, delete on account, link, session, refresh_token, throttle, address to user_app;
