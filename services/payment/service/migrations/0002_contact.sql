-- How a payer can be reached, which PayFast asks for.
alter table payment add column email text not null default '', add column phone text not null default '';
