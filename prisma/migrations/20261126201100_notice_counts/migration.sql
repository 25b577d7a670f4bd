-- What became of a large notice, as the planner counted it last: a page must not count 100,000 messages each time it is shown. Small ones
-- are counted when they are shown and have none.
ALTER TABLE "notices" ADD COLUMN "counts" JSONB, ADD COLUMN "counted_at" TIMESTAMPTZ(3);

-- Prisma knows no partial indexes: those that are counted again for some days after their end.
create index notices_counted_idx on notices (ended_at) where counts is not null;
