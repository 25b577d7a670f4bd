-- The ledger defends itself, whoever posts. Prisma cannot express triggers, so they stand here.
-- SQLSTATE class TL is ours: TL001 unbalanced, TL002 mixed currencies, TL003 immutable, TL004 closed account,
-- TL005 too many decimals, TL006 posting to an entry of another transaction, TL007 reversal is no mirror,
-- TL008 entry without postings, TL009 account of another programme, TL010 reversal of a reversal.

-- Covers the sum of an account's postings, which is every balance that is ever shown.
create index postings_account_id_amount_idx on postings (account_id) include (amount, entry_id);

alter table postings add constraint postings_amount_not_zero check (amount <> 0);
alter table entries add constraint entries_kind_known check (kind in
  ('loan_disbursement', 'loan_repayment', 'savings_deposit', 'savings_withdrawal', 'fee', 'adjustment', 'opening', 'reversal'));
alter table entries add constraint entries_reversal_names_its_entry check ((kind = 'reversal') = (reverses_id is not null));
alter table accounts add constraint accounts_type_known check (type in ('asset', 'liability', 'equity', 'income', 'expense'));
alter table accounts add constraint accounts_purpose_known check (purpose in
  ('cash', 'loan', 'savings', 'interest', 'fee', 'insurance', 'opening', 'other'));
alter table instalments add constraint instalments_amounts_not_negative
  check (principal >= 0 and interest >= 0 and fee >= 0 and insurance >= 0 and principal + interest + fee + insurance > 0);
alter table loans add constraint loans_product_known check (product in ('standard', 'emergency', 'interest_free'));

create function ledger_stamp_entry() returns trigger language plpgsql as $$
begin
  new.tx_id := pg_current_xact_id();
  return new;
end $$;
create trigger entries_stamp before insert on entries for each row execute function ledger_stamp_entry();

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'ledger rows are never changed or deleted: post a reversal' using errcode = 'TL003';
end $$;
create trigger entries_immutable before update or delete on entries for each row execute function ledger_refuse_change();
create trigger postings_immutable before update or delete on postings for each row execute function ledger_refuse_change();
create trigger entries_no_truncate before truncate on entries for each statement execute function ledger_refuse_change();
create trigger postings_no_truncate before truncate on postings for each statement execute function ledger_refuse_change();

-- Set-based, so that a bulk insert pays once a statement. The foreign key has locked the account row (key share) before
-- this runs and the query sees what committed meanwhile, so a close cannot slip between (see ledger_close_account).
create function ledger_check_postings() returns trigger language plpgsql as $$
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
  return null;
end $$;
create trigger postings_check after insert on postings referencing new table as new_postings
  for each statement execute function ledger_check_postings();

-- Runs at commit, once an entry, when all its postings are there.
create function ledger_check_entry() returns trigger language plpgsql as $$
declare total numeric; rows_count bigint; currency_count bigint;
begin
  select coalesce(sum(p.amount), 0), count(*), count(distinct a.currency_code)
    into total, rows_count, currency_count
    from postings p join accounts a on a.id = p.account_id where p.entry_id = new.id;
  if rows_count = 0 then
    raise exception 'an entry has no postings' using errcode = 'TL008';
  elsif currency_count > 1 then
    raise exception 'an entry mixes currencies' using errcode = 'TL002';
  elsif total <> 0 then
    raise exception 'an entry does not balance' using errcode = 'TL001';
  end if;
  if new.reverses_id is not null then
    if exists (select 1 from entries r where r.id = new.reverses_id and r.reverses_id is not null) then
      raise exception 'a reversal cannot be reversed: post the entry again' using errcode = 'TL010';
    elsif exists (select 1 from entries r where r.id = new.reverses_id and r.programme_id <> new.programme_id) then
      raise exception 'a reversal names an entry of another programme' using errcode = 'TL009';
    elsif exists (
      select 1 from postings p where p.entry_id in (new.id, new.reverses_id)
       group by p.account_id having sum(p.amount) <> 0
    ) then
      raise exception 'a reversal is not the mirror of the entry it reverses' using errcode = 'TL007';
    end if;
  end if;
  return null;
end $$;
create constraint trigger entries_check after insert on entries deferrable initially deferred
  for each row execute function ledger_check_entry();

-- Waits for posters in flight (their foreign-key checks hold a key-share lock) and makes later ones see the close.
create function ledger_close_account() returns trigger language plpgsql as $$
begin
  if new.currency_code <> old.currency_code or new.programme_id <> old.programme_id then
    raise exception 'an account keeps its currency and programme' using errcode = 'TL003';
  end if;
  if new.closed_at is not null and old.closed_at is null then
    perform 1 from accounts where id = old.id for update;
  end if;
  return new;
end $$;
create trigger accounts_guard before update on accounts for each row execute function ledger_close_account();

-- A committed entry is announced in the poster's own transaction.
create function ledger_announce() returns trigger language plpgsql as $$
begin
  insert into ledger_events (entry_id) select id from new_entries;
  perform pg_notify('tama_ledger', '');
  return null;
end $$;
create trigger entries_announce after insert on entries referencing new table as new_entries
  for each statement execute function ledger_announce();
create index ledger_events_open_idx on ledger_events (id) where handled_at is null;
