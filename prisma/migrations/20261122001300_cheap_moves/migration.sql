-- DropForeignKey: a message is moved four times on its way out, and its events are written by the statements that moved it, from the
-- rows they moved: the check could only ever succeed, and cost more than the insert.
ALTER TABLE "message_events" DROP CONSTRAINT "message_events_message_id_fkey";

-- A move that changes no indexed column writes no index (a "HOT" update). Predicates on the status made every move write all of
-- them; the stage changes when a message is queued and when it is done: 0 waits for its time, 1 is at work, 2 is unknown, 3 is done.
-- Prisma does not know generated columns.
alter table messages add column stage smallint not null generated always as
  (case when status = 'created' then 0
        when status in ('queued', 'claimed', 'submitting') then 1
        when status = 'unknown' then 2 else 3 end) stored;
drop index messages_created_idx, messages_batch_idx, messages_open_idx, messages_unknown_idx, messages_leaving_idx,
  messages_provider_message_idx;
-- The relay's work list: oldest due first within a lane.
create index messages_waiting_idx on messages (lane, not_before) where stage = 0;
-- A job finds its rows; the recovery reads it whole, which the batches kept ahead keep small.
create index messages_batch_idx on messages (batch_id) where stage = 1;
-- Delivery reports find their message. Without the provider, which is written before the call.
create index messages_provider_message_idx on messages (provider_message_id) where provider_message_id is not null;
-- Few rows, read whole. Not by phone: the phone is filled in by a move that should write no index.
create index messages_unknown_idx on messages (id) where stage = 2;
create index messages_leaving_idx on messages (member_id)
  where stage in (1, 2) and purpose in ('reminder', 'meeting', 'training', 'notice');
-- Room for the next versions of a row on its own page, without which no update can spare the indexes.
alter table messages set (fillfactor = 50);
