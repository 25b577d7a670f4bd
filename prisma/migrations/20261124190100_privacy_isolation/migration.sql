-- What export, erasure and phones that change hands reach through the HTTP API, held to the caller's programme like the rest
-- (20261124104100_programme_isolation). A report or an SMS is hers when it names a phone or a message of hers.
select isolate_rows('phone_confirmations', 'exists (select 1 from members m where m.id = member_id)',
  'select, insert, update, delete');
select isolate_rows('sim_checks', 'exists (select 1 from phones p where p.id = phone_id)', 'select, delete');
select isolate_rows('entry_erasures', 'exists (select 1 from entries e where e.id = entry_id)', 'select, insert');
select isolate_rows('former_rows', $$relation = 'members' and exists (select 1 from members m where m.id = row_id)$$, 'select, delete');
select isolate_rows('inbound_messages', 'exists (select 1 from phones p where p.id = phone_id)', 'select');
select isolate_rows('delivery_reports',
  'exists (select 1 from phones p where p.id = any (phone_ids)) or exists (select 1 from messages m
     where m.provider_message_id = delivery_reports.provider_message_id and m.provider = delivery_reports.provider)', 'select');

-- What an erased row becomes belongs to nobody, so only what may be emptied can be written, and it is checked that it was.
grant update (programme_id, phone_id, keyword) on inbound_messages to tama_api;
alter policy one_programme on inbound_messages with check (programme_id is null and phone_id is null and keyword is null);
grant update (phone_ids) on delivery_reports to tama_api;
alter policy one_programme on delivery_reports with check (true);
-- The ledger's own trigger allows nothing but the emptying that entry_erasures records.
grant update (description) on entries to tama_api;
grant delete on phones, meeting_answers, training_attendances to tama_api;
