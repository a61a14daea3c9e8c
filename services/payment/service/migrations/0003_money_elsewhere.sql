-- News may be about money, too, which its provider calls by another name than the attempt: what somebody did there and nobody asked for here.
-- "attempt" is what the provider calls it either way.
alter table callback add column about text not null default 'attempt' check (about in ('attempt', 'money'));
alter table callback drop constraint callback_what_check;
alter table callback add constraint callback_what_check
    check (what in ('captured', 'failed', 'ended', 'refunded', 'refunded there', 'refund failed', 'needs operator'));
-- Money that was told of and not booked is found by what was told.
create index callback_captured on callback (provider, reference) where what = 'captured';
