-- Where dialogues go and where they stop: counts by day and screen, with nothing of anybody who dialled.
CREATE TABLE "ussd_path_counts" (
    "programme_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "menu" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "shown" INTEGER NOT NULL,
    "stopped" INTEGER NOT NULL,

    CONSTRAINT "ussd_path_counts_pkey" PRIMARY KEY ("programme_id", "day", "menu", "state")
);
CREATE INDEX "ussd_path_counts_day_idx" ON "ussd_path_counts"("day");
ALTER TABLE "ussd_path_counts" ADD CONSTRAINT "ussd_path_counts_programme_id_fkey" FOREIGN KEY ("programme_id") REFERENCES "programmes"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

select isolate_rows('ussd_path_counts', 'programme_id = tama_programme()', 'select');
