-- AlterTable: a receipt or code whose outcome stayed unknown is sent once more, as a message of its own.
ALTER TABLE "messages" ADD COLUMN "resends_id" UUID;
ALTER TABLE "messages" ADD CONSTRAINT "messages_resends_id_fkey" FOREIGN KEY ("resends_id") REFERENCES "messages"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Never twice, whoever resends. Partial, so that the millions that resend nothing cost nothing; Prisma cannot say so.
create unique index messages_resends_key on messages (resends_id) where resends_id is not null;
