-- How staff show who they are: a PIN by USSD, a code by SMS in the console. Kept apart from members: a number may belong to both.
ALTER TABLE "staff" ADD COLUMN "languages" TEXT[] DEFAULT ARRAY[]::TEXT[];

CREATE TABLE "staff_pins" (
    "staff_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "last_try_key" TEXT,
    "lock_level" INTEGER NOT NULL DEFAULT 0,
    "locked_until" TIMESTAMPTZ(3),

    CONSTRAINT "staff_pins_pkey" PRIMARY KEY ("staff_id")
);
ALTER TABLE "staff_pins" ADD CONSTRAINT "staff_pins_staff_id_fkey" FOREIGN KEY ("staff_id") REFERENCES "staff"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "sign_in_codes" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "staff_id" UUID NOT NULL,
    "code_hash" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "sign_in_codes_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "sign_in_codes_staff_id_sent_at_idx" ON "sign_in_codes"("staff_id", "sent_at");
ALTER TABLE "sign_in_codes" ADD CONSTRAINT "sign_in_codes_staff_id_fkey" FOREIGN KEY ("staff_id") REFERENCES "staff"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "console_sessions" (
    "token_hash" TEXT NOT NULL,
    "staff_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "console_sessions_pkey" PRIMARY KEY ("token_hash")
);
CREATE INDEX "console_sessions_staff_id_idx" ON "console_sessions"("staff_id");
ALTER TABLE "console_sessions" ADD CONSTRAINT "console_sessions_staff_id_fkey" FOREIGN KEY ("staff_id") REFERENCES "staff"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Who signs in is not yet bound to a programme, so codes and sessions stay closed to tama_api (20261124104100_programme_isolation); a
-- reset of a PIN and the end of somebody's sessions are acts inside one.
select isolate_rows('staff_pins', 'exists (select 1 from staff s where s.id = staff_id)', 'select, delete');
select isolate_rows('console_sessions', 'exists (select 1 from staff s where s.id = staff_id)', 'select, update');
