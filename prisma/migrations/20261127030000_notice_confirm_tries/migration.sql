-- A notice that was written by SMS leaves when its author answers with a code; wrong ones are counted.
ALTER TABLE "notices" ADD COLUMN "confirm_tries" INTEGER NOT NULL DEFAULT 0;
