-- Asked again while it is open, a case of any kind is the one that is there: until now the database held only disputes to that.
with again as (
  select id, row_number() over (partition by member_id, kind, entry_id order by opened_at, id) as place from cases where status = 'open')
update cases c set status = 'closed', outcome = 'withdrawn', closed_at = now() from again where again.id = c.id and again.place > 1;
drop index cases_open_dispute_key;
create unique index cases_open_key on cases (member_id, kind, entry_id) nulls not distinct where status = 'open';
create index cases_owner_open_idx on cases (owner_id) where status = 'open';

-- The case that a message is about. Without a foreign key, like the other facts that a message names.
ALTER TABLE "messages" ADD COLUMN "case_id" UUID;
