-- AlterTable: a member who was erased is a pseudonym that keeps the books whole.
ALTER TABLE "members" ADD COLUMN "erased_at" TIMESTAMPTZ(3);

-- CreateTable: the entries whose description was emptied, for ever.
CREATE TABLE "entry_erasures" (
    "entry_id" UUID NOT NULL,
    "erased_at" TIMESTAMPTZ(3) NOT NULL,
    "tx_id" xid8 NOT NULL DEFAULT pg_current_xact_id(),

    CONSTRAINT "entry_erasures_pkey" PRIMARY KEY ("entry_id")
);

-- AddForeignKey
ALTER TABLE "entry_erasures" ADD CONSTRAINT "entry_erasures_entry_id_fkey" FOREIGN KEY ("entry_id") REFERENCES "entries"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The one change that the ledger allows: a description, in which the back office may have written a name, becomes null, and only
-- in the transaction that records it. Prisma does not know triggers.
create function ledger_stamp_erasure() returns trigger language plpgsql as $$
begin
  new.tx_id := pg_current_xact_id();
  return new;
end $$;
create trigger entry_erasures_stamp before insert on entry_erasures for each row execute function ledger_stamp_erasure();
create trigger entry_erasures_immutable before update or delete on entry_erasures
  for each row execute function ledger_refuse_change();
create trigger entry_erasures_no_truncate before truncate on entry_erasures
  for each statement execute function ledger_refuse_change();

create function ledger_refuse_entry_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.description is null
     and to_jsonb(new) - 'description' = to_jsonb(old) - 'description'
     and exists (select 1 from entry_erasures r where r.entry_id = old.id and r.tx_id = pg_current_xact_id()) then
    return new;
  end if;
  raise exception 'ledger rows are never changed or deleted: post a reversal' using errcode = 'TL003';
end $$;
drop trigger entries_immutable on entries;
create trigger entries_immutable before update or delete on entries for each row execute function ledger_refuse_entry_change();
