-- What a member says about our messages is never overwritten: each word is a row, the newest counts, and without a recorded yes no
-- message leaves. DropPrimaryKey: there was one row a purpose, which the next word replaced.
alter table consents drop constraint consents_pkey;
alter table consents drop constraint consents_purpose_known;
ALTER TABLE "consents" ADD COLUMN "id" BIGSERIAL NOT NULL, ADD COLUMN "wording" TEXT NOT NULL DEFAULT 'legacy',
  ADD COLUMN "collector" TEXT NOT NULL DEFAULT 'herself', ADD CONSTRAINT "consents_pkey" PRIMARY KEY ("id");
ALTER TABLE "consents" ALTER COLUMN "wording" DROP DEFAULT, ALTER COLUMN "collector" DROP DEFAULT;

-- Meetings and trainings are one purpose for her. Both words are kept as history; a no to either of them is a no to both.
update consents set purpose = 'meeting' where purpose = 'training';
insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
select member_id, 'meeting', false, 'import', 'legacy', min(language), 'migration', max(collected_at)
  from consents where purpose = 'meeting' group by member_id having bool_or(granted) and bool_or(not granted);

-- Until now no word was a yes. Who is a member of a running programme is not silenced: what was open to her stays open, and the row
-- says where that came from.
insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
select m.id, open.purpose, true, 'import', 'legacy', coalesce(m.language, p.languages[1]), 'migration', now()
  from members m
  join programmes p on p.id = m.programme_id
  cross join unnest(array['receipt', 'reminder', 'meeting']) as open (purpose)
 where not exists (select 1 from consents c where c.member_id = m.id and c.purpose = open.purpose);

CREATE INDEX "consents_member_id_purpose_collected_at_id_idx" ON "consents"("member_id", "purpose", "collected_at", "id");
alter table consents add constraint consents_purpose_known check
  (purpose in ('receipt', 'reminder', 'meeting', 'survey', 'promotion', 'all'));
alter table consents add constraint consents_channel_known check (channel in ('ussd', 'sms', 'staff', 'import', 'api'));

-- Not even by hand: a word that was wrongly noted is answered by a newer one.
create function refuse_consent_change() returns trigger language plpgsql as $$
begin
  raise exception 'a consent is never changed: a newer word counts';
end $$;
create trigger consents_are_kept before update on consents for each row execute function refuse_consent_change();
