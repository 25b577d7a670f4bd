ALTER TABLE "members" ADD COLUMN "sms_from_minute" INTEGER, ADD COLUMN "sms_until_minute" INTEGER;
ALTER TABLE "phones" ADD COLUMN "network_block_source" TEXT, ADD COLUMN "network_blocked_at" TIMESTAMPTZ(3);
ALTER TABLE "programmes" ADD COLUMN "unblock_codes" JSONB NOT NULL DEFAULT '{}';

-- Prisma knows no checks.
alter table members add constraint members_sms_hours check
  ((sms_from_minute is null) = (sms_until_minute is null)
   and sms_from_minute >= 0 and sms_from_minute < sms_until_minute and sms_until_minute <= 1440);
alter table phones add constraint phones_network_block check
  ((network_blocked_at is null) = (network_block_source is null)
   and network_block_source in ('callback', 'send', 'report'));
