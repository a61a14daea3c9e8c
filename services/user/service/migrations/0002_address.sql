-- The addresses that a user keeps, each under a label.
create table address (
    user_id uuid not null references account on delete cascade,
    label text collate "C" not null,
    recipient text not null,
    lines text[] not null,
    city text not null,
    postal_code text not null,
    country_code text not null,
    primary key (user_id, label)
);

grant select, insert, update, delete on address to user_app;
