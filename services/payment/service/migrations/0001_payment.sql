-- The money of an order.
create table payment (
    order_id uuid primary key,
    version bigint not null,
    customer_id text not null,
    amount bigint not null check (amount > 0),
    currency text not null,
    deadline timestamptz not null,
    closed boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index payment_newest on payment (created_at desc, order_id desc);

create table attempt (
    attempt_id uuid primary key,
    order_id uuid not null references payment,
    nth integer not null,
    provider text not null,
    status text not null check (status in ('opening', 'open', 'captured', 'failed', 'closed')),
    failure text not null,
    reference text not null,
    url text,
    field_names text[] not null,
    field_values text[] not null,
    expires_at timestamptz,
    look_at timestamptz not null,
    created_at timestamptz not null
);
create index attempt_of_payment on attempt (order_id);
-- What a provider calls an attempt is one attempt.
create unique index attempt_reference on attempt (provider, reference) where reference <> '';
create index attempt_due on attempt (look_at) where status in ('opening', 'open');

-- Append-only: the app role may neither change nor delete what was booked.
create table transaction (
    transaction_id uuid primary key,
    order_id uuid not null references payment,
    nth integer not null,
    kind text not null check (kind in ('captured', 'refunded')),
    amount bigint not null check (amount > 0),
    provider text not null,
    reference text not null,
    attempt_id uuid not null,
    at timestamptz not null
);
create index transaction_of_payment on transaction (order_id);
-- The same news of a provider's is booked once.
create unique index transaction_reference on transaction (provider, kind, reference);

create table refund (
    refund_id uuid not null,
    order_id uuid not null references payment,
    nth integer not null,
    attempt_id uuid not null,
    amount bigint not null check (amount > 0),
    status text not null check (status in ('pending', 'by hand', 'done', 'failed')),
    reason text not null,
    try_at timestamptz not null,
    created_at timestamptz not null,
    -- Whoever asks for a refund names it, for one order.
    primary key (order_id, refund_id)
);
create index refund_due on refund (try_at) where status = 'pending';

create table task (
    task_id uuid primary key,
    order_id uuid not null references payment,
    nth integer not null,
    reason text not null,
    refund_id uuid,
    resolution text,
    created_at timestamptz not null
);
create index task_of_payment on task (order_id);
create index task_open on task (order_id) where resolution is null;

-- What providers said, kept before anything is done about it.
create table callback (
    provider text not null,
    event text not null,
    attempt text not null,
    what text not null check (what in ('captured', 'failed', 'ended', 'refunded', 'refund failed')),
    reference text not null,
    told text not null,
    amount bigint,
    currency text,
    refund_id uuid,
    at timestamptz not null,
    try_at timestamptz not null,
    heard boolean not null,
    primary key (provider, event)
);
create index callback_unheard on callback (try_at) where not heard;

grant select, insert, update on payment, attempt, refund, task, callback to payment_app;
grant select, insert on transaction to payment_app;
