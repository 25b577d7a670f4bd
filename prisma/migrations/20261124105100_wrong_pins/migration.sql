-- AlterTable
ALTER TABLE "programmes" ADD COLUMN "wrong_pins_max" INTEGER NOT NULL DEFAULT 50;

-- CreateTable
CREATE TABLE "wrong_pins" (
    "programme_id" UUID NOT NULL,
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "wrong_pins_pkey" PRIMARY KEY ("programme_id", "minute")
);
