-- A facilitator's broadcast, and what became of it for each member of its audience.
CREATE TABLE "notices" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "programme_id" UUID NOT NULL,
    "author_staff_id" UUID,
    "author_member_id" UUID,
    "channel" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "audience" JSONB NOT NULL,
    "template" TEXT,
    "fields" JSONB NOT NULL DEFAULT '{}',
    "texts" JSONB NOT NULL DEFAULT '{}',
    "lane" TEXT NOT NULL DEFAULT 'bulk',
    "status" TEXT NOT NULL DEFAULT 'draft',
    "send_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "approver_id" UUID,
    "approved_at" TIMESTAMPTZ(3),
    "planned_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" TEXT,
    "confirm_code" TEXT,
    "dedupe_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "tx_id" xid8 DEFAULT pg_current_xact_id(),

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "notices_programme_id_dedupe_key_key" ON "notices"("programme_id", "dedupe_key");
CREATE INDEX "notices_programme_id_created_at_idx" ON "notices"("programme_id", "created_at");
ALTER TABLE "notices" ADD CONSTRAINT "notices_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "notices" ADD CONSTRAINT "notices_author_staff_id_fkey" FOREIGN KEY ("author_staff_id") REFERENCES "staff"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "notices" ADD CONSTRAINT "notices_author_member_id_fkey" FOREIGN KEY ("author_member_id") REFERENCES "members"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "notices" ADD CONSTRAINT "notices_approver_id_fkey" FOREIGN KEY ("approver_id") REFERENCES "staff"("id") ON DELETE SET NULL ON UPDATE CASCADE;

CREATE TABLE "notice_recipients" (
    "notice_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "group_id" UUID,
    "excluded" TEXT,
    "message_id" UUID,
    "told_at" TIMESTAMPTZ(3),
    "told_by" TEXT,

    CONSTRAINT "notice_recipients_pkey" PRIMARY KEY ("notice_id", "member_id")
);
CREATE INDEX "notice_recipients_member_id_idx" ON "notice_recipients"("member_id");
CREATE INDEX "notice_recipients_message_id_idx" ON "notice_recipients"("message_id");
ALTER TABLE "notice_recipients" ADD CONSTRAINT "notice_recipients_notice_id_fkey" FOREIGN KEY ("notice_id") REFERENCES "notices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "notice_recipients" ADD CONSTRAINT "notice_recipients_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "members"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "notice_recipients" ADD CONSTRAINT "notice_recipients_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Without a foreign key, like the other facts that a message names.
ALTER TABLE "messages" ADD COLUMN "notice_id" UUID;
ALTER TABLE "programmes" ADD COLUMN "approval_above" INTEGER NOT NULL DEFAULT 200;

-- Prisma knows neither checks nor partial indexes.
alter table notices add constraint notices_status_known check (status in
  ('draft', 'waiting', 'approved', 'sending', 'done', 'undone', 'stopped', 'refused', 'expired'));
alter table notices add constraint notices_channel_known check (channel in ('ussd', 'sms', 'console', 'api'));
alter table notices add constraint notices_purpose_known check (purpose in ('service', 'meeting', 'survey', 'promotion'));
alter table notices add constraint notices_lane_known check (lane in ('planned', 'bulk'));
alter table notices add constraint notices_end_after_start check (expires_at is null or send_at is null or expires_at > send_at);
alter table programmes add constraint programmes_approval_above check (approval_above >= 0);
create index messages_notice_idx on messages (notice_id) where notice_id is not null;
-- What the planner looks at every few seconds.
create index notices_at_work_idx on notices (status) where status in ('waiting', 'approved', 'sending');
alter table messages drop constraint messages_purpose_known;
alter table messages add constraint messages_purpose_known check (purpose in
  ('receipt', 'reminder', 'meeting', 'training', 'reply', 'code', 'notice', 'survey', 'promotion'));

-- What was approved is what is sent: the words, the audience and the times of a notice stand from the moment that it waits.
create function keep_notice() returns trigger language plpgsql as $$
begin
  if old.status <> 'draft' and (old.audience, old.purpose, old.template, old.fields, old.texts, old.lane, old.send_at, old.expires_at)
       is distinct from (new.audience, new.purpose, new.template, new.fields, new.texts, new.lane, new.send_at, new.expires_at) then
    raise exception 'A notice that is no draft any more cannot be changed' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger notices_kept before update on notices for each row execute function keep_notice();

select isolate_rows('notices', 'programme_id = tama_programme()', 'select, insert, update');
select isolate_rows('notice_recipients', 'exists (select 1 from notices n where n.id = notice_id)', 'select, insert, update');
