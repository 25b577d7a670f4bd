-- AlterTable
ALTER TABLE "programmes" ADD COLUMN     "draft_languages" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "holidays" DATE[] DEFAULT ARRAY[]::DATE[],
ADD COLUMN     "sms_segments_max" INTEGER;

alter table programmes add constraint programmes_sms_segments_max_check check (sms_segments_max between 1 and 6);

-- What a programme offers today was offered before a native speaker had to read it: nothing is taken from its members.
update programmes set draft_languages = languages;
