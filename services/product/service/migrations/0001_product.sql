-- The core case-folds the texts that are compared or ordered. The collation "C" compares bytes, as the core does.
create table product (
    product_id uuid primary key,
    version bigint not null,
    status text not null check (status in ('draft', 'active', 'archived')),
    sku text,
    sku_key text collate "C",
    slug text not null,
    slug_key text collate "C" not null,
    name text not null,
    name_key text collate "C" not null,
    description text not null,
    category text collate "C" not null,
    image_urls text[] not null,
    attribute_keys text[] not null,
    attribute_values text[] not null,
    -- Each word of name and SKU, preceded by one space.
    haystack text collate "C" not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint product_sku unique (sku_key),
    constraint product_slug unique (slug_key)
);
create index product_newest on product (created_at desc, product_id desc);
create index product_name on product (name_key, product_id);
create index product_category on product (category, created_at desc, product_id desc);

create table product_price (
    product_id uuid not null references product,
    currency text collate "C" not null,
    minor bigint not null check (minor > 0),
    primary key (product_id, currency)
);
create index product_price_order on product_price (currency, minor, product_id);

grant select, insert, update on product to product_app;
grant select, insert, update, delete on product_price to product_app;
