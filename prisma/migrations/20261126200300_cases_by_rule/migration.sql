-- More kinds of cases; who owns one and by when she hears follows from a rule of the programme.
ALTER TABLE "programmes" ADD COLUMN "case_rules" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "cases" ADD COLUMN "language" TEXT, ADD COLUMN "taken_at" TIMESTAMPTZ(3), ADD COLUMN "appointment_at" TIMESTAMPTZ(3), ADD COLUMN "escalated_at" TIMESTAMPTZ(3);

-- Prisma knows neither checks nor partial indexes.
alter table cases add constraint cases_kind_known check (kind in
  ('call_back', 'dispute', 'lost_phone', 'pin_reset', 'social_worker', 'adviser'));
-- What the planner looks at: promised and not yet passed on.
create index cases_promised_idx on cases (promised_date) where status = 'open' and escalated_at is null;
