-- AlterTable
ALTER TABLE "phones" ADD COLUMN     "greeted_at" TIMESTAMPTZ(3);

-- Until the release before this one the provider's count stood where ours stands now.
update messages set billed_segments = segments where cost is not null and billed_segments is null;

-- The network has this message, or may have it.
create function may_have_left(m messages) returns boolean language sql immutable as $$
  select m.submitted_at is not null or m.status in ('unknown', 'submitted', 'sent', 'delivered', 'undelivered')
         or m.status = 'failed' and m.reason in ('unknown_expired', 'unknown_resent')
$$;

-- Which of these messages is the first to its phone, and so gets the network's tail. One that comes while another is on its way there
-- waits: nobody could say which of the two the network sees first; only an urgent one overtakes what still stands in a queue. A message
-- that was not taken after all leaves its place to the next. What once left makes the phone greeted for good.
-- Statement by statement, so that each sees what the holder of a lock has just committed; the lock lets rows that name the phone be written.
drop function claim_greetings(uuid[], uuid[]);
create function claim_greetings(ids uuid[], phone_ids uuid[], moment timestamptz)
returns table (message_id uuid, outcome text) language plpgsql as $$
declare
  wanted record; phone phones; first messages;
begin
  for wanted in
    select w.id, w.phone_id, m.lane = 'urgent' as urgent
      from unnest(ids, phone_ids) with ordinality as w (id, phone_id, place) join messages m on m.id = w.id
     order by w.phone_id, w.place
  loop
    select * into phone from phones p where p.id = wanted.phone_id for no key update;
    select * into first from messages m where m.id = phone.greeted_by;
    if phone.greeted_at is not null then
      outcome := 'greeted';
    elsif first.id = wanted.id then
      outcome := 'greets';
    elsif may_have_left(first) and first.phone_id = wanted.phone_id then
      update phones p set greeted_at = moment, greeted_by = null where p.id = wanted.phone_id;
      outcome := 'greeted';
    elsif first.status in ('claimed', 'submitting') or first.status = 'queued' and not wanted.urgent then
      outcome := 'waits';
    else
      update phones p set greeted_by = wanted.id where p.id = wanted.phone_id;
      outcome := 'greets';
    end if;
    message_id := wanted.id;
    return next;
  end loop;
end $$;
