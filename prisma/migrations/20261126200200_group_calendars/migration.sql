-- When a group meets, as a rule of RFC 5545; its meetings are written ahead from it, and a meeting that was moved or cancelled keeps the
-- day that the rule gave it (RECURRENCE-ID).
CREATE TABLE "group_calendars" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "group_id" UUID NOT NULL,
    "rule" TEXT NOT NULL,
    "starts_on" DATE NOT NULL,
    "start_minute" INTEGER NOT NULL,
    "place" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "group_calendars_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "group_calendars_group_id_idx" ON "group_calendars"("group_id");
ALTER TABLE "group_calendars" ADD CONSTRAINT "group_calendars_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "meetings" ADD COLUMN "calendar_id" UUID, ADD COLUMN "occurrence_date" DATE;
CREATE UNIQUE INDEX "meetings_calendar_id_occurrence_date_key" ON "meetings"("calendar_id", "occurrence_date");
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_calendar_id_fkey" FOREIGN KEY ("calendar_id") REFERENCES "group_calendars"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Who came, as somebody who was there took it down.
CREATE TABLE "meeting_attendances" (
    "meeting_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "attended" BOOLEAN NOT NULL,
    "taken_by" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "meeting_attendances_pkey" PRIMARY KEY ("meeting_id", "member_id")
);
CREATE INDEX "meeting_attendances_member_id_idx" ON "meeting_attendances"("member_id");
ALTER TABLE "meeting_attendances" ADD CONSTRAINT "meeting_attendances_meeting_id_fkey" FOREIGN KEY ("meeting_id") REFERENCES "meetings"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "meeting_attendances" ADD CONSTRAINT "meeting_attendances_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "members"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "training_attendances" ADD COLUMN "taken_by" TEXT, ADD COLUMN "taken_at" TIMESTAMPTZ(3);
ALTER TABLE "training_modules" ADD COLUMN "key_messages" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "programmes" ADD COLUMN "treasurer_sees_members" BOOLEAN NOT NULL DEFAULT false;

-- Prisma knows no checks.
alter table group_calendars add constraint group_calendars_start_minute check (start_minute between 0 and 1439);

select isolate_rows('group_calendars', 'exists (select 1 from groups g where g.id = group_id)', 'select, insert, update');
select isolate_rows('meeting_attendances', 'exists (select 1 from members m where m.id = member_id)',
  'select, insert, update, delete');
