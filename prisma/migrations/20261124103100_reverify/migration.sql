-- AlterTable: a binding of a member to a phone can be in doubt, and is confirmed again by two people.
ALTER TABLE "programmes" ADD COLUMN "silent_days" INTEGER DEFAULT 90;

ALTER TABLE "phones" ADD COLUMN "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

ALTER TABLE "member_phones" ADD COLUMN "bound_at" TIMESTAMPTZ(3),
ADD COLUMN "reverify_reason" TEXT,
ADD COLUMN "reverify_since" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "phone_confirmations" (
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "member_id" UUID NOT NULL,
    "phone_id" UUID NOT NULL,
    "staff_id" UUID,
    "officer_id" UUID,
    "confirmed_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "phone_confirmations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "phone_confirmations_member_id_idx" ON "phone_confirmations"("member_id");

-- CreateIndex
CREATE INDEX "phone_confirmations_officer_id_idx" ON "phone_confirmations"("officer_id");

-- AddForeignKey
ALTER TABLE "phone_confirmations" ADD CONSTRAINT "phone_confirmations_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "members"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "phone_confirmations" ADD CONSTRAINT "phone_confirmations_phone_id_fkey" FOREIGN KEY ("phone_id") REFERENCES "phones"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "phone_confirmations" ADD CONSTRAINT "phone_confirmations_staff_id_fkey" FOREIGN KEY ("staff_id") REFERENCES "staff"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "phone_confirmations" ADD CONSTRAINT "phone_confirmations_officer_id_fkey" FOREIGN KEY ("officer_id") REFERENCES "members"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- What Prisma cannot say: words, and that one person confirms.
alter table member_phones add constraint member_phones_reverify_known check (reverify_reason in ('gone', 'silent', 'sim_swap', 'reported'));
alter table member_phones add constraint member_phones_reverify_whole check ((reverify_since is null) = (reverify_reason is null));
alter table phone_confirmations add constraint phone_confirmations_by_one check ((staff_id is null) <> (officer_id is null));
alter table programmes add constraint programmes_silent_days_positive check (silent_days > 0);
