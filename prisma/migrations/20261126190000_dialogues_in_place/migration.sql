-- DropIndex
DROP INDEX "ussd_sessions_caller_expires_at_idx";

-- DropIndex
DROP INDEX "ussd_sessions_expires_at_idx";

-- CreateIndex
CREATE INDEX "ussd_sessions_caller_idx" ON "ussd_sessions"("caller");

-- Every hop changes state and expiry of one row. With no index on either, and room on its page, PostgreSQL writes the new row
-- beside the old one and touches no index. A caller has few dialogues to sort, and the minute's purge reads them all anyway.
alter table ussd_sessions set (fillfactor = 50);
