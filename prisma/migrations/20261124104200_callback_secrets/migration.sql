-- CreateTable: what a provider proves itself with in the address that it calls, a programme's own.
CREATE TABLE "callback_secrets" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "programme_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "callback_secrets_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "callback_secrets_secret_hash_key" ON "callback_secrets"("secret_hash");

-- AddForeignKey
ALTER TABLE "callback_secrets" ADD CONSTRAINT "callback_secrets_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AlterTable: a report that came with a programme's own secret is matched with that programme's messages only.
ALTER TABLE "delivery_reports" ADD COLUMN "programme_id" UUID;
