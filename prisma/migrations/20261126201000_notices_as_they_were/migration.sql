-- What somebody wrote goes when the texts of its messages go; that it was sent, to whom and what became of it stays.
ALTER TABLE "notices" ADD COLUMN "texts_purged_at" TIMESTAMPTZ(3);

create or replace function keep_notice() returns trigger language plpgsql as $$
begin
  if old.status <> 'draft' and (old.audience, old.purpose, old.template, old.lane, old.send_at, old.expires_at)
       is distinct from (new.audience, new.purpose, new.template, new.lane, new.send_at, new.expires_at)
     or old.status <> 'draft' and (old.fields, old.texts) is distinct from (new.fields, new.texts)
       and not (old.ended_at is not null and new.texts_purged_at is not null and new.fields = '{}' and new.texts = '{}') then
    raise exception 'A notice that is no draft any more cannot be changed' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

-- Prisma knows no triggers: whether a text was still to be sent is asked of the status as it was then.
create trigger notices_former after update of status on notices for each row
  when (old.status is distinct from new.status) execute function keep_former_row('status');

-- Surveys and promotion count for the caps of a day and a week too. The lists must be those of outbound/decision-query.ts.
drop index messages_told_idx, messages_leaving_idx;
create index messages_told_idx on messages (member_id, submitted_at)
  where submitted_at is not null and purpose in ('reminder', 'meeting', 'training', 'notice', 'survey', 'promotion');
create index messages_leaving_idx on messages (member_id)
  where stage in (0, 2) and purpose in ('reminder', 'meeting', 'training', 'notice', 'survey', 'promotion');
