-- A callback that comes again, to any process and at any time, says no second word.
ALTER TABLE "consents" ADD COLUMN "callback_key" TEXT;
CREATE UNIQUE INDEX "consents_member_id_purpose_callback_key_key" ON "consents"("member_id", "purpose", "callback_key");
