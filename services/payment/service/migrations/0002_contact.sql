-- How a payer can be reached, which PayFast asks for, and the country that the order goes to, which providers are chosen by.
alter table payment add column email text not null default '', add column phone text not null default '',
    add column country text not null default '';
