-- AlterTable: a ledger event that could not be handled rests before its next try.
ALTER TABLE "ledger_events" ADD COLUMN "retry_at" TIMESTAMPTZ(3);

-- CreateIndex: one helpful reply a day and the loop guard count what a phone wrote today.
CREATE INDEX "inbound_messages_phone_id_received_at_idx" ON "inbound_messages"("phone_id", "received_at");

-- The daily cap counts what a member was told today, and what is on its way. Partial, so that planning a message costs
-- nothing; Prisma cannot say so.
create index messages_told_idx on messages (member_id, submitted_at)
  where submitted_at is not null and purpose in ('reminder', 'meeting', 'training', 'notice');
create index messages_leaving_idx on messages (member_id)
  where status in ('claimed', 'submitting', 'unknown') and purpose in ('reminder', 'meeting', 'training', 'notice');
