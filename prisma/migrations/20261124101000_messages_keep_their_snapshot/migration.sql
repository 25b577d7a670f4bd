-- A text states the ledger as it was when it was sent. With the snapshot under which its facts were read it can be derived again:
-- a row is part of it when the transaction that wrote the row was visible in the snapshot.
ALTER TABLE "messages" ADD COLUMN "facts_at" TIMESTAMPTZ(3), ADD COLUMN "facts_snapshot" pg_snapshot;

-- A message keeps the id of what it stated, also when that is deleted: a foreign key would empty it.
ALTER TABLE "messages" DROP CONSTRAINT "messages_instalment_id_fkey";
ALTER TABLE "messages" DROP CONSTRAINT "messages_meeting_id_fkey";
ALTER TABLE "messages" DROP CONSTRAINT "messages_training_session_id_fkey";

-- The transaction that wrote a row, as entries have it. The default comes second: rows from before keep null, which is always visible.
ALTER TABLE "accounts" ADD COLUMN "tx_id" xid8;
ALTER TABLE "accounts" ALTER COLUMN "tx_id" SET DEFAULT pg_current_xact_id();
ALTER TABLE "instalments" ADD COLUMN "tx_id" xid8;
ALTER TABLE "instalments" ALTER COLUMN "tx_id" SET DEFAULT pg_current_xact_id();
ALTER TABLE "meetings" ADD COLUMN "tx_id" xid8;
ALTER TABLE "meetings" ALTER COLUMN "tx_id" SET DEFAULT pg_current_xact_id();
ALTER TABLE "training_sessions" ADD COLUMN "tx_id" xid8;
ALTER TABLE "training_sessions" ALTER COLUMN "tx_id" SET DEFAULT pg_current_xact_id();

-- What may change and is told: each earlier version, with the transaction that ended it. Nothing of a person.
CREATE TABLE "former_rows" (
    "id" BIGSERIAL NOT NULL,
    "relation" TEXT NOT NULL,
    "row_id" UUID NOT NULL,
    "was" JSONB NOT NULL,
    "tx_id" xid8 NOT NULL DEFAULT pg_current_xact_id(),

    CONSTRAINT "former_rows_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "former_rows_row_id_idx" ON "former_rows"("row_id");
CREATE INDEX "former_rows_relation_tx_id_idx" ON "former_rows"("relation", "tx_id");

-- Prisma knows no triggers. With arguments, only these columns are kept.
create function keep_former_row() returns trigger language plpgsql as $$
begin
  insert into former_rows (relation, row_id, was)
  values (tg_table_name, old.id, case when tg_nargs = 0 then to_jsonb(old)
    else (select jsonb_object_agg(name, to_jsonb(old) -> name) from unnest(tg_argv) as name) end);
  return null;
end $$;
create trigger instalments_former after update on instalments for each row
  when (old.* is distinct from new.*) execute function keep_former_row();
create trigger instalments_deleted after delete on instalments for each row execute function keep_former_row();
create trigger meetings_former after update on meetings for each row
  when (old.* is distinct from new.*) execute function keep_former_row();
create trigger meetings_deleted after delete on meetings for each row execute function keep_former_row();
create trigger training_sessions_former after update on training_sessions for each row
  when (old.* is distinct from new.*) execute function keep_former_row();
create trigger training_sessions_deleted after delete on training_sessions for each row execute function keep_former_row();
create trigger training_modules_former after update on training_modules for each row
  when (old.* is distinct from new.*) execute function keep_former_row();
create trigger programmes_former after update on programmes for each row
  when (old.* is distinct from new.*) execute function keep_former_row();
create trigger members_former after update of group_id on members for each row
  when (old.group_id is distinct from new.group_id) execute function keep_former_row('group_id');
