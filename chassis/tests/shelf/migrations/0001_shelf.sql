create table item (
    product_id text primary key,
    version bigint not null,
    -- The constraint lets a test publish an event that can never be stored.
    name text not null check (length(name) <= 1000)
);

-- The applied events, in their order. No column is unique, so that an event that is applied twice is visible.
create table applied (
    position bigint generated always as identity primary key,
    product_id text not null,
    version bigint not null
);

grant select, insert, update on item to shelf_app;
grant select, insert on applied to shelf_app;
