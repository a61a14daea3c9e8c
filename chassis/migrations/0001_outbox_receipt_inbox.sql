-- Committed events that are not published yet, in commit order per aggregate.
create table outbox (
    position bigint generated always as identity primary key,
    id uuid not null,
    at timestamptz not null,
    topic text not null,
    key text not null,
    event_type text not null,
    version bigint not null,
    traceparent text not null,
    payload bytea not null
);

-- Processed requests and events.
create table receipt (
    scope text not null,
    key text not null,
    fingerprint bytea not null,
    subject text not null,
    at timestamptz not null default now(),
    primary key (scope, key)
);
create index receipt_at on receipt (at);

-- Pending records and dead letters.
create table inbox (
    position bigint generated always as identity primary key,
    handler text not null,
    key text not null,
    -- The event's id, or the record's hash if it has none.
    event text not null,
    -- The record, unchanged.
    raw bytea not null,
    reason text not null,
    attempts integer not null default 0,
    first_at timestamptz not null default now(),
    next_at timestamptz not null,
    deadline timestamptz not null,
    dead_at timestamptz,
    unique (handler, key, event)
);
create index inbox_due on inbox (next_at) where dead_at is null;
