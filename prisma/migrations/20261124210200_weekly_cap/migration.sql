-- AlterTable: planned messages that a member may get on seven local days in a row.
ALTER TABLE "programmes" ADD COLUMN "weekly_cap" INTEGER NOT NULL DEFAULT 6;
