-- Row-level security for the HTTP API: its transactions run as "tama_api", bound to one programme by the setting tama.programme, so that
-- a forgotten WHERE shows and changes nothing of another. Prisma knows neither roles nor policies. Everything else (dialogues, sender,
-- planner, imports) works for all programmes as the tables' owner, whom policies do not bind.

-- Roles belong to the whole server, so another database of ours may have made it before.
do $$
begin
  if not exists (select 1 from pg_roles where rolname = 'tama_api') then
    begin
      create role tama_api nologin;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  if not pg_has_role(current_user, 'tama_api', 'set') then
    execute format('grant tama_api to %I with set true, inherit false', current_user);
  end if;
end $$;

grant usage on schema public to tama_api;

-- The programme of this transaction; null (no row anywhere) when none was said.
create function tama_programme() returns uuid language sql stable parallel safe as
  $$ select nullif(current_setting('tama.programme', true), '')::uuid $$;

-- Opens a table to the API, one programme's rows only. A table that is not named here is closed to it. `belongs` may ask a table that
-- is isolated itself, whose own policy then holds.
create function isolate_rows(opened regclass, belongs text, privileges text) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', opened);
  execute format('create policy one_programme on %s to tama_api using (%s) with check (%s)', opened, belongs, belongs);
  execute format('grant %s on %s to tama_api', privileges, opened);
  grant usage on all sequences in schema public to tama_api;
end $$;

grant select on currencies to tama_api;

select isolate_rows('programmes', 'id = tama_programme()', 'select');
select isolate_rows('staff', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('groups', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('members', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('phones', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('training_modules', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('accounts', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('entries', 'programme_id = tama_programme()', 'select, insert');
select isolate_rows('loans', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('messages', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('cases', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('idempotency_keys', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('member_phones', 'exists (select 1 from members m where m.id = member_id)',
  'select, insert, update, delete');
select isolate_rows('member_pins', 'exists (select 1 from members m where m.id = member_id)', 'select, insert, update, delete');
select isolate_rows('consents', 'exists (select 1 from members m where m.id = member_id)', 'select, insert, update');
select isolate_rows('meetings', 'exists (select 1 from groups g where g.id = group_id)', 'select, insert, update');
select isolate_rows('meeting_answers', 'exists (select 1 from members m where m.id = member_id)', 'select, insert, update');
select isolate_rows('training_sessions', 'exists (select 1 from groups g where g.id = group_id)', 'select, insert, update');
select isolate_rows('training_attendances', 'exists (select 1 from members m where m.id = member_id)', 'select, insert, update');
select isolate_rows('postings', 'exists (select 1 from accounts a where a.id = account_id)', 'select, insert');
select isolate_rows('instalments', 'exists (select 1 from loans l where l.id = loan_id)', 'select, insert, update');
select isolate_rows('message_events', 'exists (select 1 from messages m where m.id = message_id)', 'select, insert');

-- The ledger's own rules see and write as the owner, whoever posts: they must not be blinded by a policy, and the tables that they
-- keep (ledger_events, ledger_checks) stay closed to the API. Their search_path was fixed when they were made.
do $$
declare name text;
begin
  foreach name in array array['ledger_announce', 'ledger_check_postings', 'ledger_check_entries', 'ledger_close_account'] loop
    execute format('alter function %I() security definer', name);
  end loop;
  execute format('alter function keep_former_row() security definer set search_path = pg_catalog, %I, pg_temp', current_schema());
end $$;
