-- "order" is a reserved word in SQL.
create table orders (
    order_id uuid primary key,
    version bigint not null,
    customer_id text collate "C" not null,
    status text not null
        check (status in ('placed', 'awaiting_payment', 'confirmed', 'shipped', 'delivered', 'cancelled')),
    cancel_reason text check (cancel_reason in ('customer', 'admin', 'no_stock', 'payment_timeout')),
    payment_deadline timestamptz,
    carrier text,
    tracking_number text,
    currency text not null,
    total_minor bigint not null,
    line_products uuid[] not null,
    line_names text[] not null,
    line_quantities integer[] not null,
    line_prices bigint[] not null,
    recipient text not null,
    address_lines text[] not null,
    city text not null,
    postal_code text not null,
    country_code text not null,
    email text not null,
    phone text not null,
    locale text not null,
    payment_method text not null,
    payment_id text,
    payment_minor bigint,
    payment_currency text,
    refund_requested boolean,
    reservation_round integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((status = 'cancelled') = (cancel_reason is not null)),
    check ((status = 'awaiting_payment') = (payment_deadline is not null)),
    check ((status in ('shipped', 'delivered')) = (carrier is not null and tracking_number is not null)),
    check ((payment_id is null) = (refund_requested is null))
);
create index orders_newest on orders (created_at desc, order_id desc);
create index orders_of_customer on orders (customer_id, created_at desc, order_id desc);
create index orders_in_status on orders (status, created_at desc, order_id desc);
create index orders_due on orders (payment_deadline, order_id) where payment_deadline is not null;

-- Append-only.
create table order_timeline (
    position bigint generated always as identity primary key,
    order_id uuid not null references orders,
    at timestamptz not null,
    text text not null,
    status text not null,
    event_id uuid not null,
    trace_id text not null
);
create index order_timeline_of_order on order_timeline (order_id, position);

-- The read model of products.
create table catalog_product (
    product_id uuid primary key,
    version bigint not null,
    name text not null,
    on_sale boolean not null,
    currencies text[] not null,
    minors bigint[] not null
);

grant select, insert, update on orders, catalog_product to order_app;
grant select, insert on order_timeline to order_app;
