-- An attempt has an end from its start on, before a provider has opened it: how long it lasts may be set otherwise meanwhile.
update attempt set expires_at = created_at + interval '30 minutes' where expires_at is null;
alter table attempt alter column expires_at set not null;
