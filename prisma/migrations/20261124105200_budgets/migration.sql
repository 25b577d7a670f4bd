-- AlterTable
ALTER TABLE "programmes" ADD COLUMN     "segments_day_max" INTEGER NOT NULL DEFAULT 100000,
ADD COLUMN     "segments_minute_max" INTEGER NOT NULL DEFAULT 30000,
ADD COLUMN     "sms_countries" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "segment_budgets" (
    "programme_id" UUID NOT NULL,
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "minute_used" INTEGER NOT NULL DEFAULT 0,
    "day" DATE NOT NULL,
    "day_used" INTEGER NOT NULL DEFAULT 0,
    "put_off_until" TIMESTAMPTZ(3),
    "spent_day" DATE,

    CONSTRAINT "segment_budgets_pkey" PRIMARY KEY ("programme_id")
);

-- CreateTable
CREATE TABLE "code_sends" (
    "message_id" UUID NOT NULL,
    "receiver_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "code_sends_pkey" PRIMARY KEY ("message_id")
);

-- CreateIndex
CREATE INDEX "code_sends_receiver_id_idx" ON "code_sends"("receiver_id");

alter table programmes add constraint programmes_segments_max
  check (segments_minute_max > 0 and segments_day_max > 0);

-- At most three codes to one receiver in ten minutes; the same message again (the provider was away) is the same code.
create function take_code(message uuid, receiver uuid, moment timestamptz) returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('code'), hashtext(receiver::text));
  delete from code_sends c where c.receiver_id = receiver and c.at <= moment - interval '10 minutes';
  if (select count(*) from code_sends c where c.receiver_id = receiver and c.message_id <> message) >= 3 then
    return false;
  end if;
  insert into code_sends (message_id, receiver_id, at) values (message, receiver, moment)
    on conflict on constraint code_sends_pkey do update set at = excluded.at;
  return true;
end $$;

-- Takes a batch's segments from its programme's minute and day, whole messages in the order given, answers to a member's own asking
-- first. Returns only what does not fit, and until when it waits. One statement for the caller: the lock on the counter is held for
-- this and no round trip.
-- A tenth of each budget is kept for answers, so that no notice can starve them.
create function take_segments(ids uuid[], segments int[], moment timestamptz)
returns table (message_id uuid, refused text, not_before timestamptz) language plpgsql as $$
declare
  code record; wanted record; programme programmes; used segment_budgets; refused_codes uuid[] := '{}';
  minute_free int; day_free int; granted int; over int; waits_from timestamptz;
begin
  for code in
    select m.id, coalesce(m.phone_id, m.member_id) as receiver from messages m
     where m.id = any(ids) and m.purpose = 'code' order by 2, 1
  loop
    if not take_code(code.id, code.receiver, moment) then
      refused_codes := refused_codes || code.id;
      return query select code.id, 'code_limit', null::timestamptz;
    end if;
  end loop;
  for wanted in
    select s.programme_id, s.answers, array_agg(s.id order by s.place) as ids, array_agg(s.total order by s.place)::int[] as totals
      from (select m.programme_id, m.purpose in ('reply', 'code') as answers, w.id, w.place,
                   sum(w.segments) over (partition by m.programme_id, m.purpose in ('reply', 'code') order by w.place) as total
              from unnest(ids, segments) with ordinality as w (id, segments, place)
              join messages m on m.id = w.id
             where not w.id = any(refused_codes)) s
     group by 1, 2 order by 1, 2 desc
  loop
    select * into programme from programmes p where p.id = wanted.programme_id;
    insert into segment_budgets (programme_id, minute, day)
      values (programme.id, date_trunc('minute', moment), (moment at time zone programme.time_zone)::date) on conflict do nothing;
    select * into used from segment_budgets b where b.programme_id = programme.id for update;
    -- Forward only: a process whose clock is behind counts in the window of the others.
    if used.minute < date_trunc('minute', moment) then
      used.minute := date_trunc('minute', moment);
      used.minute_used := 0;
    end if;
    if used.day < (moment at time zone programme.time_zone)::date then
      used.day := (moment at time zone programme.time_zone)::date;
      used.day_used := 0;
    end if;
    minute_free := programme.segments_minute_max - used.minute_used;
    day_free := programme.segments_day_max - used.day_used;
    if not wanted.answers then
      minute_free := minute_free - programme.segments_minute_max / 10;
      day_free := day_free - programme.segments_day_max / 10;
    end if;
    select coalesce(max(total), 0) into granted from unnest(wanted.totals) total where total <= least(minute_free, day_free);
    over := wanted.totals[array_upper(wanted.totals, 1)] - granted;
    used.minute_used := used.minute_used + granted;
    used.day_used := used.day_used + granted;
    if over > 0 and day_free - granted <= minute_free - granted then
      used.spent_day := used.day;
      waits_from := (used.day + 1)::timestamp at time zone programme.time_zone;
      return query
        select late.id, 'budget_day', waits_from
          from unnest(wanted.ids, wanted.totals) as late (id, total) where late.total > granted;
    elsif over > 0 then
      -- What waits comes back at the pace of the budget, not all of it every minute.
      waits_from := used.minute + interval '1 minute';
      if not wanted.answers then
        waits_from := greatest(waits_from, used.put_off_until);
        used.put_off_until := waits_from + over * interval '1 minute' / programme.segments_minute_max;
      end if;
      return query
        select late.id, 'budget_minute',
               waits_from + (late.total - granted - 1) * interval '1 minute' / programme.segments_minute_max
          from unnest(wanted.ids, wanted.totals) as late (id, total) where late.total > granted;
    end if;
    update segment_budgets b
       set minute = used.minute, minute_used = used.minute_used, day = used.day, day_used = used.day_used,
           put_off_until = used.put_off_until, spent_day = used.spent_day
     where b.programme_id = programme.id;
  end loop;
end $$;
