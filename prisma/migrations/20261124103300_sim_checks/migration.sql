-- AlterTable
ALTER TABLE "programmes" ADD COLUMN "sim_swap_check" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable: whether a number has a new SIM is asked before a first PIN is set; the network answers later.
CREATE TABLE "sim_checks" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "phone_id" UUID NOT NULL,
    "wanted_at" TIMESTAMPTZ(3) NOT NULL,
    "asked_at" TIMESTAMPTZ(3),
    "request_id" TEXT,
    "answered_at" TIMESTAMPTZ(3),
    "outcome" TEXT,

    CONSTRAINT "sim_checks_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "sim_checks_request_id_key" ON "sim_checks"("request_id");

-- CreateIndex
CREATE INDEX "sim_checks_phone_id_wanted_at_idx" ON "sim_checks"("phone_id", "wanted_at");

-- AddForeignKey
ALTER TABLE "sim_checks" ADD CONSTRAINT "sim_checks_phone_id_fkey" FOREIGN KEY ("phone_id") REFERENCES "phones"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say: words, and the few rows that are still to be asked.
alter table sim_checks add constraint sim_checks_outcome_known check (outcome in ('clean', 'swapped', 'unreadable'));
create index sim_checks_wanted_idx on sim_checks (wanted_at) where asked_at is null;
