-- Entries are checked at commit, now once a statement and not once an entry: a bulk import spent more time in calling the
-- check than in what it checks. A row of ledger_checks names what a statement wrote; the check that waits for the commit
-- hangs on that row, and takes it away. Nobody can free herself: the rows are written by triggers of the statement, and a
-- waiting check is held by PostgreSQL itself, whatever becomes of its row. Each statement that adds postings is checked
-- for itself, so postings that come after a check was brought forward (SET CONSTRAINTS) are checked too.
-- Prisma cannot express triggers and functions, nor that the table needs no log: it is empty between transactions.
create table ledger_checks (
    id bigserial not null,
    -- 'entries': each must have postings. 'postings': what these entries add up to.
    written text not null,
    entry_ids uuid[],
    constraint ledger_checks_pkey primary key (id)
);
alter table ledger_checks set unlogged;

create or replace function ledger_announce() returns trigger language plpgsql as $$
begin
  insert into ledger_events (entry_id) select id from new_entries;
  insert into ledger_checks (written, entry_ids)
  select 'entries', array_agg(id) from new_entries having count(*) > 0;
  perform pg_notify('tama_ledger', '');
  return null;
end $$;

create or replace function ledger_check_postings() returns trigger language plpgsql as $$
declare fault text;
begin
  select case
      when e.tx_id is distinct from pg_current_xact_id() then 'TL006'
      when a.closed_at is not null then 'TL004'
      when a.programme_id <> e.programme_id then 'TL009'
      when scale(trim_scale(p.amount)) > c.exponent then 'TL005'
    end
    into fault
    from new_postings p
    join entries e on e.id = p.entry_id
    join accounts a on a.id = p.account_id
    join currencies c on c.code = a.currency_code
   where e.tx_id is distinct from pg_current_xact_id() or a.closed_at is not null
      or a.programme_id <> e.programme_id or scale(trim_scale(p.amount)) > c.exponent
   limit 1;
  if fault = 'TL006' then
    raise exception 'a posting belongs to an entry that is already committed' using errcode = 'TL006';
  elsif fault = 'TL004' then
    raise exception 'a posting names a closed account' using errcode = 'TL004';
  elsif fault = 'TL009' then
    raise exception 'a posting names an account of another programme' using errcode = 'TL009';
  elsif fault = 'TL005' then
    raise exception 'a posting has more decimals than its currency' using errcode = 'TL005';
  end if;
  insert into ledger_checks (written, entry_ids)
  select 'postings', array_agg(distinct entry_id) from new_postings having count(*) > 0;
  return null;
end $$;

-- Each question is asked entry by entry (lateral, scalar subqueries): a join over all of them could be planned from its wrong
-- end while the tables are young and without statistics.
create function ledger_check_entries() returns trigger language plpgsql as $$
declare fault text;
begin
  delete from ledger_checks where id = new.id;
  if new.written = 'entries' then
    perform 1 from unnest(new.entry_ids) as e (id)
      where (select p.entry_id from postings p where p.entry_id = e.id limit 1) is null limit 1;
    if found then
      raise exception 'an entry has no postings' using errcode = 'TL008';
    end if;
    return null;
  end if;

  select case when s.mixed then 'TL002' else 'TL001' end into fault
    from unnest(new.entry_ids) as e (id)
    cross join lateral (
      select sum(o.amount) as total, min(o.currency_code) <> max(o.currency_code) as mixed
        from (select p.amount, (select a.currency_code from accounts a where a.id = p.account_id) as currency_code
                from postings p where p.entry_id = e.id offset 0) o) s
   where s.mixed or s.total <> 0 limit 1;
  if fault = 'TL002' then
    raise exception 'an entry mixes currencies' using errcode = 'TL002';
  elsif fault = 'TL001' then
    raise exception 'an entry does not balance' using errcode = 'TL001';
  end if;

  -- Reversals among these entries, and reversals of them.
  select case when t.reverses_id is not null then 'TL010' when t.programme_id <> r.programme_id then 'TL009'
              else 'TL007' end
    into fault
    from unnest(new.entry_ids) as e (id)
    cross join lateral (
      select n.id, n.programme_id, n.reverses_id as target_id from entries n where n.id = e.id
      union all
      select n.id, n.programme_id, e.id from entries n where n.reverses_id = e.id) r
    cross join lateral (
      select n.programme_id, n.reverses_id from entries n where n.id = r.target_id offset 0) t
   where r.target_id is not null and (
     t.reverses_id is not null or t.programme_id <> r.programme_id or exists (
       select 1 from postings p where p.entry_id in (r.id, r.target_id) group by p.account_id having sum(p.amount) <> 0))
   limit 1;
  if fault = 'TL010' then
    raise exception 'a reversal cannot be reversed: post the entry again' using errcode = 'TL010';
  elsif fault = 'TL009' then
    raise exception 'a reversal names an entry of another programme' using errcode = 'TL009';
  elsif fault = 'TL007' then
    raise exception 'a reversal is not the mirror of the entry it reverses' using errcode = 'TL007';
  end if;
  return null;
end $$;

drop trigger entries_check on entries;
drop function ledger_check_entry();
create constraint trigger entries_check after insert on ledger_checks deferrable initially deferred
  for each row execute function ledger_check_entries();

-- As before: the checks ask for rows by key, and their plans may be as old as the connection. (A replaced function forgets
-- its settings.)
alter function ledger_check_postings() set enable_seqscan = off;
alter function ledger_check_postings() set enable_hashjoin = off;
alter function ledger_check_postings() set enable_mergejoin = off;
alter function ledger_check_entries() set enable_seqscan = off;
alter function ledger_check_entries() set enable_hashjoin = off;
alter function ledger_check_entries() set enable_mergejoin = off;

-- A poster's own search_path must not lead the checks to tables or operators of her making.
create or replace function ledger_stamp_entry() returns trigger language plpgsql as $$
begin
  new.tx_id := pg_catalog.pg_current_xact_id();
  return new;
end $$;
do $$
declare name text;
begin
  foreach name in array array['ledger_announce', 'ledger_check_postings', 'ledger_check_entries', 'ledger_close_account'] loop
    execute format('alter function %I() set search_path = pg_catalog, %I, pg_temp', name, current_schema());
  end loop;
end $$;
