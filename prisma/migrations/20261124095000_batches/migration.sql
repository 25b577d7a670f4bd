-- CreateTable: what a job carries. The job names the batch, the batch names its rows, and the recovery reads batches instead of
-- looking through all messages for rows that are at work.
CREATE TABLE "batches" (
    "id" UUID NOT NULL,
    "lane" TEXT NOT NULL,
    "message_ids" UUID[],
    "moved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "batches_pkey" PRIMARY KEY ("id")
);
insert into batches (id, lane, message_ids, moved_at)
select batch_id, lane, array_agg(id), min(updated_at) from messages
 where status in ('queued', 'claimed', 'submitting') and batch_id is not null group by batch_id, lane;

-- With batches, no index needs to know which open rows are at work: the moves to queued, claimed and submitting all write no index
-- (HOT). The stage says 0 open, 2 unknown, 3 done. Prisma does not know generated columns.
drop index messages_waiting_idx, messages_batch_idx, messages_unknown_idx, messages_leaving_idx;
alter table messages alter column stage set expression as
  (case when status in ('created', 'queued', 'claimed', 'submitting') then 0 when status = 'unknown' then 2 else 3 end);
-- The relay's work list: oldest due first within a lane. It walks past the rows at work, which the batches kept ahead keep few.
create index messages_open_idx on messages (lane, not_before) where stage = 0;
-- Few rows, read whole. Not by phone: the phone is filled in by a move that should write no index.
create index messages_unknown_idx on messages (id) where stage = 2;
create index messages_leaving_idx on messages (member_id)
  where stage in (0, 2) and purpose in ('reminder', 'meeting', 'training', 'notice');
