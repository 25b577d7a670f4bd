-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "programme_id" UUID NOT NULL,
    "position" BIGINT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "hash" BYTEA,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_heads" (
    "programme_id" UUID NOT NULL,
    "position" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("programme_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_log_programme_id_position_key" ON "audit_log"("programme_id", "position");

-- CreateIndex
CREATE INDEX "audit_log_subject_idx" ON "audit_log"("subject");

-- The chain is made by the database, whoever writes a row; Prisma knows no triggers.
-- SQLSTATE class TA is ours: TA001 immutable.
alter table audit_log add constraint audit_log_objects
  check (jsonb_typeof(before) = 'object' and jsonb_typeof(after) = 'object');
alter table audit_log add constraint audit_log_words check (actor <> '' and action <> '' and subject <> '');

create function audit_open() returns trigger language plpgsql as $$
begin
  new.position := null;
  new.hash := null;
  return new;
end $$;
create trigger audit_log_open before insert on audit_log for each row execute function audit_open();

-- Links the row to its programme's chain when the transaction commits, not when the row is written: the lock on the head is held for
-- one commit only, however long the transaction took, and after every other lock of it, so that no two writers wait for each other.
create function audit_seal() returns trigger language plpgsql as $$
declare head audit_heads; sealed bytea;
begin
  insert into audit_heads (programme_id, position, hash) values (new.programme_id, 0, '') on conflict do nothing;
  select * into head from audit_heads where programme_id = new.programme_id for update;
  head.position := head.position + 1;
  -- jsonb text is canonical: PostgreSQL orders keys and writes each value in one way. Written again in src/audit.ts, so that
  -- whoever changes this function is found out.
  sealed := sha256(head.hash || convert_to(jsonb_build_array(new.programme_id, head.position,
    (extract(epoch from new.at) * 1000)::bigint, new.actor, new.action, new.subject, new.before, new.after)::text, 'UTF8'));
  update audit_log set position = head.position, hash = sealed where id = new.id;
  update audit_heads set position = head.position, hash = sealed where programme_id = new.programme_id;
  return null;
end $$;
create constraint trigger audit_log_seal after insert on audit_log deferrable initially deferred
  for each row execute function audit_seal();

create function audit_refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and tg_table_name = 'audit_log' then
    if old.hash is null and new.hash is not null
       and to_jsonb(new) - array['position', 'hash'] = to_jsonb(old) - array['position', 'hash'] then
      return new;
    end if;
  elsif tg_op = 'UPDATE' and new.programme_id = old.programme_id and new.position = old.position + 1 then
    return new;
  end if;
  raise exception 'the audit log is never changed or deleted' using errcode = 'TA001';
end $$;
create trigger audit_log_immutable before update or delete on audit_log for each row execute function audit_refuse_change();
create trigger audit_heads_forward before update or delete on audit_heads for each row execute function audit_refuse_change();
create trigger audit_log_no_truncate before truncate on audit_log for each statement execute function audit_refuse_change();
create trigger audit_heads_no_truncate before truncate on audit_heads for each statement execute function audit_refuse_change();
