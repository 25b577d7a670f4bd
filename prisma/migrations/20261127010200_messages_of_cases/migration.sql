-- What a member was told of her appointment is asked at each change of it.
CREATE INDEX "messages_case_id_idx" ON "messages"("case_id") WHERE "case_id" IS NOT NULL;
