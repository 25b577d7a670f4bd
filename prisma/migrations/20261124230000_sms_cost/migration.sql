-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "billed_segments" INTEGER;

-- AlterTable
ALTER TABLE "phones" ADD COLUMN     "greeted_by" UUID;

-- AlterTable
ALTER TABLE "programmes" ADD COLUMN     "opt_out_tail" TEXT,
ADD COLUMN     "segment_currency" CHAR(3),
ADD COLUMN     "segment_price" DECIMAL(20,6);

alter table programmes add constraint programmes_segment_price
  check (segment_price >= 0 and (segment_price is null) = (segment_currency is null));

-- Which of these messages is the first to its phone, and so gets the network's tail. One that comes while another is on its way there
-- waits: nobody could say which of the two the network sees first. A message that was not taken after all leaves its place to the next.
-- Statement by statement, so that each sees what the holder of a lock has just committed.
create function claim_greetings(ids uuid[], phone_ids uuid[])
returns table (message_id uuid, outcome text) language plpgsql as $$
declare
  wanted record; greeter uuid; status text; submitted timestamptz;
begin
  for wanted in
    select w.id, w.phone_id from unnest(ids, phone_ids) with ordinality as w (id, phone_id, place) order by w.phone_id, w.place
  loop
    select p.greeted_by into greeter from phones p where p.id = wanted.phone_id for update;
    select m.status, m.submitted_at into status, submitted from messages m where m.id = greeter;
    if greeter = wanted.id then
      outcome := 'greets';
    elsif submitted is not null or status in ('unknown', 'submitted', 'sent', 'delivered', 'undelivered') then
      outcome := 'greeted';
    elsif status in ('queued', 'claimed', 'submitting') then
      outcome := 'waits';
    else
      update phones p set greeted_by = wanted.id where p.id = wanted.phone_id;
      outcome := 'greets';
    end if;
    message_id := wanted.id;
    return next;
  end loop;
end $$;
