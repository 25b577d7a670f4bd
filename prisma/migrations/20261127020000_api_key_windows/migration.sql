-- How many calls a key made in its present minute. Unlogged: a call costs no flush of the log, and a crash of the server only forgives.
CREATE UNLOGGED TABLE "api_key_windows" (
    "api_key_id" UUID NOT NULL,
    "window_at" TIMESTAMPTZ(3) NOT NULL,
    "calls" INTEGER NOT NULL,

    CONSTRAINT "api_key_windows_pkey" PRIMARY KEY ("api_key_id")
);
-- A count is written in place.
alter table api_key_windows set (fillfactor = 50);
