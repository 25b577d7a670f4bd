-- CreateTable
CREATE TABLE "rate_limits" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("key")
);

-- A code to sign in stands in the message that carries it only until that has left or ended: from then on nobody can read it anywhere,
-- whichever path moved the message.
create function forget_code() returns trigger language plpgsql as $$
begin
  new.params := new.params - 'digits';
  new.text := null;
  new.text_purged_at := coalesce(new.text_purged_at, new.updated_at);
  return new;
end $$;
create trigger forget_code before update on messages for each row
  when (new.params ? 'digits' and new.status not in ('created', 'queued', 'claimed', 'submitting'))
  execute function forget_code();

-- What an administrator may change of the programme; its code, currency and dial code stay with whoever runs the house.
grant update (name, office_phone, send_from_minute, send_until_minute, daily_cap, weekly_cap, answer_working_days, silent_days,
  segments_minute_max, segments_day_max, sms_segments_max, wrong_pins_max, approval_above, treasurer_sees_members)
  on programmes to tama_api;
