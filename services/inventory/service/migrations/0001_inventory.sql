create table stock_item (
    product_id uuid primary key,
    version bigint not null,
    product_version bigint not null,
    on_hand integer not null,
    reserved integer not null,
    low_stock_threshold integer not null,
    archived boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (0 <= reserved and reserved <= on_hand)
);
create index stock_item_newest on stock_item (created_at desc, product_id desc);
create index stock_item_low on stock_item (created_at desc, product_id desc)
    where low_stock_threshold > 0 and on_hand - reserved <= low_stock_threshold;

create table reservation (
    order_id uuid primary key,
    version bigint not null,
    product_ids uuid[] not null,
    quantities integer[] not null,
    status text not null check (status in ('reserved', 'rejected', 'committed', 'released', 'expired', 'returned')),
    expires_at timestamptz,
    reservation_round integer not null,
    closed boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((status = 'reserved') = (expires_at is not null))
);
create index reservation_due on reservation (expires_at) where status = 'reserved';

-- Append-only: the app role has no privilege to change it.
create table ledger_entry (
    ledger_entry_id uuid primary key,
    product_id uuid not null references stock_item,
    on_hand_delta integer not null,
    reserved_delta integer not null,
    kind text not null
        check (kind in ('received', 'adjusted', 'reserved', 'released', 'expired', 'committed', 'returned')),
    reason text not null,
    order_id uuid,
    at timestamptz not null,
    check ((order_id is null) = (kind in ('received', 'adjusted')))
);
create index ledger_entry_newest on ledger_entry (product_id, at desc, ledger_entry_id desc);

grant select, insert, update on stock_item, reservation to inventory_app;
grant select, insert on ledger_entry to inventory_app;
