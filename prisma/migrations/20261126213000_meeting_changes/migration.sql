-- Each time that a meeting or training is moved, cancelled or put back it is told anew to those who were told otherwise; the number of
-- the change names that telling. What a person changed by hand, a new calendar leaves as it is.
ALTER TABLE "meetings" ADD COLUMN "changes" INTEGER NOT NULL DEFAULT 0, ADD COLUMN "by_hand" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "training_sessions" ADD COLUMN "changes" INTEGER NOT NULL DEFAULT 0;

-- What she saw when she answered follows from the transaction of her answer. The default comes second: answers from before keep null.
ALTER TABLE "meeting_answers" ADD COLUMN "tx_id" xid8;
ALTER TABLE "meeting_answers" ALTER COLUMN "tx_id" SET DEFAULT pg_current_xact_id();

-- Prisma knows no partial indexes: the messages about one meeting or training.
create index messages_meeting_idx on messages (meeting_id) where meeting_id is not null;
create index messages_training_session_idx on messages (training_session_id) where training_session_id is not null;
