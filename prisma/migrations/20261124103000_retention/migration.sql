-- AlterTable: a text is forgotten after its time; what it stated stays in the row's facts.
ALTER TABLE "messages" ADD COLUMN "text_purged_at" TIMESTAMPTZ(3);

-- What retention has still to look at. Asked neither for the text nor for the stage, which moves change: a move would then write
-- the index. Partial indexes are unknown to Prisma.
create index messages_kept_text_idx on messages (created_at) where text_purged_at is null;
create index inbound_messages_kept_idx on inbound_messages (received_at)
  where phone_id is not null or keyword is not null or programme_id is not null;
