-- The payment of an order.
create table payment (
    order_id uuid primary key,
    version bigint not null,
    customer_id text not null,
    -- The payer's contact, which some providers require, and the country of the delivery, which chooses the provider.
    email text not null,
    phone text not null,
    country text not null,
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
    expires_at timestamptz not null,
    next_poll_at timestamptz not null,
    created_at timestamptz not null
);
create index attempt_of_payment on attempt (order_id);
-- A provider's reference identifies one attempt.
create unique index attempt_reference on attempt (provider, reference) where reference <> '';
create index attempt_due on attempt (next_poll_at) where status in ('opening', 'open');

-- Append-only: the app role has no privilege to change or delete a transaction.
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
-- A provider's transaction is booked once.
create unique index transaction_reference on transaction (provider, kind, reference);

create table refund (
    refund_id uuid not null,
    order_id uuid not null references payment,
    nth integer not null,
    attempt_id uuid not null,
    amount bigint not null check (amount > 0),
    status text not null check (status in ('pending', 'manual', 'succeeded', 'failed')),
    reason text not null,
    next_attempt_at timestamptz not null,
    created_at timestamptz not null,
    -- The caller chooses the id, unique within an order.
    primary key (order_id, refund_id)
);
create index refund_due on refund (next_attempt_at) where status = 'pending';

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

-- The events of providers, stored before they are processed.
create table callback (
    provider text not null,
    event text not null,
    -- The provider's reference of an attempt or of captured money.
    subject text not null check (subject in ('attempt', 'money')),
    subject_reference text not null,
    kind text not null check (kind in
        ('captured', 'failed', 'checkout_expired', 'refunded', 'external_refund', 'refund_failed', 'needs_review')),
    reference text not null,
    -- The amount as the provider wrote it; for the other kinds the provider's reason.
    reported text not null,
    amount bigint,
    currency text,
    refund_id uuid,
    at timestamptz not null,
    next_attempt_at timestamptz not null,
    processed boolean not null,
    primary key (provider, event)
);
create index callback_pending on callback (next_attempt_at) where not processed;
-- Captured money that was not booked is found by its callback.
create index callback_captured on callback (provider, reference) where kind = 'captured';

grant select, insert, update on payment, attempt, refund, task, callback to payment_app;
grant select, insert on transaction to payment_app;
