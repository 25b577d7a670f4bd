-- Codes that stand on receipts: six digits, drawn at random, unique in a programme. An old one may be given out again.
CREATE TABLE "receipt_codes" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "programme_id" UUID NOT NULL,
    "code" CHAR(6) NOT NULL,
    "entry_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "receipt_codes_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "receipt_codes_programme_id_code_key" ON "receipt_codes"("programme_id", "code");
CREATE UNIQUE INDEX "receipt_codes_entry_id_member_id_key" ON "receipt_codes"("entry_id", "member_id");
ALTER TABLE "receipt_codes" ADD CONSTRAINT "receipt_codes_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "receipt_codes" ADD CONSTRAINT "receipt_codes_entry_id_fkey" FOREIGN KEY ("entry_id") REFERENCES "entries"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "receipt_codes" ADD CONSTRAINT "receipt_codes_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "members"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- How often a phone (a keyed hash, never the number) asked in an hour; the row with an empty caller counts the whole programme's misses.
CREATE TABLE "verification_tries" (
    "programme_id" UUID NOT NULL,
    "caller" TEXT NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "tries" INTEGER NOT NULL,
    "misses" INTEGER NOT NULL,
    "last_key" TEXT NOT NULL,

    CONSTRAINT "verification_tries_pkey" PRIMARY KEY ("programme_id","caller","hour")
);
CREATE INDEX "verification_tries_hour_idx" ON "verification_tries"("hour");
ALTER TABLE "verification_tries" ADD CONSTRAINT "verification_tries_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A code that is on no receipt, as an event for staff. What was typed may be a PIN and is not kept: marks are keyed hashes.
CREATE TABLE "unmatched_codes" (
    "id" BIGSERIAL NOT NULL,
    "programme_id" UUID NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "phone_mark" TEXT NOT NULL,
    "code_mark" TEXT NOT NULL,
    "well_formed" BOOLEAN NOT NULL,
    "dedupe_key" TEXT NOT NULL,

    CONSTRAINT "unmatched_codes_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "unmatched_codes_dedupe_key_key" ON "unmatched_codes"("dedupe_key");
CREATE INDEX "unmatched_codes_programme_id_id_idx" ON "unmatched_codes"("programme_id", "id");
ALTER TABLE "unmatched_codes" ADD CONSTRAINT "unmatched_codes_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- "This is not right": a case about an entry, with the day by which she is to hear.
ALTER TABLE "cases" ADD COLUMN "entry_id" UUID, ADD COLUMN "promised_date" DATE, ADD COLUMN "outcome" TEXT;
ALTER TABLE "cases" ADD CONSTRAINT "cases_entry_id_fkey" FOREIGN KEY ("entry_id") REFERENCES "entries"("id") ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX "cases_programme_id_status_opened_at_idx" ON "cases"("programme_id", "status", "opened_at");
ALTER TABLE "programmes" ADD COLUMN "answer_working_days" INTEGER NOT NULL DEFAULT 3;

-- Prisma knows neither partial keys nor checks. The same entry disputed twice is one open case.
create unique index cases_open_dispute_key on cases (member_id, entry_id) nulls not distinct where kind = 'dispute' and status = 'open';
alter table cases add constraint cases_closed_with_an_outcome check (status = 'open' or outcome is not null) not valid;
alter table programmes add constraint programmes_answer_working_days check (answer_working_days between 1 and 30);

-- What the HTTP API reaches of them, held to the caller's programme (20261124104100_programme_isolation); tries stay closed to it.
select isolate_rows('receipt_codes', 'programme_id = tama_programme()', 'select, delete');
select isolate_rows('unmatched_codes', 'programme_id = tama_programme()', 'select');
