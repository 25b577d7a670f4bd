-- Which of its secrets a webhook is signed with (none is kept: secrets.ts derives it), since when nothing got through, and its end.
ALTER TABLE "webhooks" ADD COLUMN "secret_number" INTEGER NOT NULL DEFAULT 1, ADD COLUMN "rotated_at" TIMESTAMPTZ(3), ADD COLUMN "failing_since" TIMESTAMPTZ(3), ADD COLUMN "deleted_at" TIMESTAMPTZ(3);

-- Prisma knows neither checks, partial indexes nor triggers.
alter table webhooks add constraint webhooks_events_known check (events <@ array['message.final', 'case.opened', 'consent.changed']);
-- What a fact looks for: a programme without a webhook costs it one look into an empty index.
create index webhooks_hearing_idx on webhooks (programme_id) where disabled_at is null and deleted_at is null;
-- What a webhook has still to be told, oldest first.
drop index webhook_deliveries_open_idx;
create index webhook_deliveries_open_idx on webhook_deliveries (webhook_id, next_at) where next_at is not null;
alter table webhook_deliveries set (fillfactor = 80);

-- Written in the transaction of the fact, whoever wrote it: an application that uses plain SQL is heard too. A payload names the fact by
-- its id and says nothing of a member; the API tells the rest to who may know it.
create function tell_webhooks(programme uuid, event text, moment timestamptz, data jsonb) returns void language sql as $$
  insert into webhook_deliveries (webhook_id, event, payload, created_at, next_at)
  select w.id, event, jsonb_build_object('type', event, 'timestamp', to_char(moment at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', data),
         moment, moment
    from webhooks w
   where w.programme_id = programme and w.disabled_at is null and w.deleted_at is null and event = any (w.events)
$$;

create function tell_final_message() returns trigger language plpgsql as $$
begin
  if exists (select 1 from webhooks w where w.programme_id = new.programme_id and w.disabled_at is null and w.deleted_at is null) then
    perform tell_webhooks(new.programme_id, 'message.final', new.updated_at,
      jsonb_build_object('message', new.id, 'purpose', new.purpose, 'status', new.status, 'reason', new.reason));
  end if;
  return null;
end $$;
-- By row, so that the condition spares every other move of a message the call of a function. Sent is final where a network reports no
-- more, but nobody can know that yet.
create trigger messages_tell after update of status on messages for each row
  when (new.status is distinct from old.status and new.status in
    ('delivered', 'suppressed', 'cancelled', 'expired', 'failed', 'undelivered', 'rejected'))
  execute function tell_final_message();
create trigger messages_tell_born after insert on messages for each row
  when (new.status in ('suppressed', 'cancelled', 'expired')) execute function tell_final_message();

-- A wish to see the social worker is nobody else's business, not even that there is one.
create function tell_opened_cases() returns trigger language plpgsql as $$
begin
  perform tell_webhooks(c.programme_id, 'case.opened', c.opened_at,
      jsonb_build_object('case', c.reference, 'kind', c.kind, 'promisedDate', c.promised_date))
    from new_cases c
   where c.kind <> 'social_worker'
     and exists (select 1 from webhooks w where w.programme_id = c.programme_id and w.disabled_at is null and w.deleted_at is null);
  return null;
end $$;
create trigger cases_tell after insert on cases referencing new table as new_cases
  for each statement execute function tell_opened_cases();

create function tell_changed_consents() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from webhooks w where w.disabled_at is null and w.deleted_at is null) then
    return null;
  end if;
  perform tell_webhooks(m.programme_id, 'consent.changed', c.collected_at,
      jsonb_build_object('change', c.id::text, 'purpose', c.purpose, 'granted', c.granted, 'channel', c.channel))
    from new_consents c join members m on m.id = c.member_id;
  return null;
end $$;
create trigger consents_tell after insert on consents referencing new table as new_consents
  for each statement execute function tell_changed_consents();

-- They see and write as the owner, whoever wrote the fact, like the ledger's own.
do $$
declare name text;
begin
  foreach name in array array['tell_final_message()', 'tell_opened_cases()', 'tell_changed_consents()'] loop
    execute format('alter function %s security definer set search_path = pg_catalog, %I, pg_temp', name, current_schema());
  end loop;
end $$;
revoke execute on function tell_webhooks(uuid, text, timestamptz, jsonb) from public;
