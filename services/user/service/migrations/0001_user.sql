-- "user" is a word of SQL. While a mailbox is not proved there may be many of one address.
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
create unique index account_proved on account (email) where verified;
create index account_email on account (email);
create index account_unproved on account (created_at) where not verified;
create index account_newest on account (created_at desc, user_id desc) where verified;

-- Secrets are kept by their digests only.
create table link (
    digest bytea primary key,
    purpose text not null check (purpose in ('verify', 'reset')),
    user_id uuid not null references account on delete cascade,
    expires_at timestamptz not null
);
create index link_of_account on link (user_id);
create index link_old on link (expires_at);

create table session (
    session_id uuid primary key,
    user_id uuid not null references account on delete cascade,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index session_of_account on session (user_id);
create index session_old on session (expires_at);

create table refresh_token (
    digest bytea primary key,
    session_id uuid not null references session on delete cascade,
    exchanged_at timestamptz
);
create index refresh_token_of_session on refresh_token (session_id);

create table brake (
    subject text primary key,
    count integer not null check (count > 0),
    last_at timestamptz not null
);

grant select, insert, update, delete on account, link, session, refresh_token, brake to user_app;
