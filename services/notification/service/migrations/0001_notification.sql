-- The messages to customers and their delivery.
create table notification (
    notification_id uuid primary key,
    subject text not null,
    kind text not null check (kind in
        ('registration', 'reset', 'placed', 'paid', 'failed', 'shipped', 'delivered', 'cancelled', 'refunded')),
    channel text not null check (channel in ('mail', 'sms')),
    order_id uuid,
    recipient text not null,
    locale text not null check (locale in ('en', 'ur')),
    status text not null check (status in ('pending', 'sent', 'failed', 'suppressed')),
    attempts integer not null,
    -- The time of the next attempt while the status is pending.
    due_at timestamptz check ((due_at is null) = (status <> 'pending')),
    failure text not null,
    reference text not null,
    -- The rendered message, deleted once it is sent.
    title text,
    body text,
    html text,
    until timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- A kind is sent once for each subject and channel.
    unique (subject, kind, channel)
);
create index notification_newest on notification (created_at desc, notification_id desc);
create index notification_due on notification (channel, due_at, notification_id) where status = 'pending';
create index notification_of_order on notification (order_id) where order_id is not null;
create index notification_to on notification (recipient);

-- The contact of an order, by its latest event.
create table contact (
    order_id uuid primary key,
    version bigint not null,
    customer_id text not null,
    name text not null,
    email text not null,
    phone text not null,
    locale text not null check (locale in ('en', 'ur'))
);

-- The preferences that a customer has set; the others have their defaults.
create table preference (
    customer_id text not null,
    kind text not null,
    channel text not null,
    enabled boolean not null,
    primary key (customer_id, kind, channel)
);

grant select, insert, update on notification, contact, preference to notification_app;
