create table item (
    product_id text primary key,
    version bigint not null,
    -- So that a test can have an event that no attempt gets in.
    name text not null check (length(name) <= 1000)
);

-- Every event that had an effect, in the order of the effects. Nothing here is unique: a second effect would be seen.
create table applied (
    position bigint generated always as identity primary key,
    product_id text not null,
    version bigint not null
);

grant select, insert, update on item to shelf_app;
grant select, insert on applied to shelf_app;
