-- Events that are committed and not yet on Kafka, in the order in which they were committed per aggregate.
create table outbox (
    position bigint generated always as identity primary key,
    id uuid not null,
    at timestamptz not null,
    topic text not null,
    key text not null,
    kind text not null,
    version bigint not null,
    traceparent text not null,
    payload bytea not null
);

-- Requests and events that were dealt with.
create table receipt (
    scope text not null,
    key text not null,
    fingerprint bytea not null,
    subject text not null,
    at timestamptz not null default now(),
    primary key (scope, key)
);
create index receipt_at on receipt (at);

-- Records that wait for another attempt, and dead letters: the same row in another state.
create table inbox (
    position bigint generated always as identity primary key,
    handler text not null,
    key text not null,
    -- The event's id, or the record's hash where it has none.
    event text not null,
    -- The record to the byte.
    raw bytea not null,
    why text not null,
    attempts integer not null default 0,
    first_at timestamptz not null default now(),
    next_at timestamptz not null,
    deadline timestamptz not null,
    dead_at timestamptz,
    unique (handler, key, event)
);
create index inbox_waiting_due on inbox (next_at) where dead_at is null;
