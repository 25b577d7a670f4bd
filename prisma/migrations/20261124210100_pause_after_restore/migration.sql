-- CreateTable: while a row is open nothing is handed to a provider, by any process.
CREATE TABLE "outbox_pauses" (
    "id" BIGSERIAL NOT NULL,
    "cause" TEXT NOT NULL,
    "paused_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resumed_at" TIMESTAMPTZ(3),
    CONSTRAINT "outbox_pauses_pkey" PRIMARY KEY ("id")
);

-- CreateTable: which server and database this is, as last seen; a copy that is restored elsewhere finds that it has moved.
CREATE TABLE "lineage" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "identity" TEXT NOT NULL,
    CONSTRAINT "lineage_pkey" PRIMARY KEY ("id")
);

-- One pause at a time, whoever finds the cause first, and one identity. Prisma can say neither.
create unique index outbox_pauses_open_key on outbox_pauses ((true)) where resumed_at is null;
alter table lineage add constraint lineage_is_one check (id = 1);
