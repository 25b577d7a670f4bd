-- A list of notices shows eight sums of each; the counts by group of a notice to 100,000 are a megabyte.
ALTER TABLE "notices" ADD COLUMN "totals" JSONB;
update notices n set totals = (
  select jsonb_object_agg(state, coalesce(members, 0))
    from unnest(array['waiting', 'sent', 'reached', 'not_reached', 'opted_out', 'excluded', 'unknown', 'told']) state
    left join (select c->>'state' as state, sum((c->>'members')::int) as members from jsonb_array_elements(n.counts) c group by 1) s
      using (state))
 where n.counts is not null;

-- A page of a notice reads some groups of it.
CREATE INDEX "notice_recipients_notice_id_group_id_idx" ON "notice_recipients"("notice_id", "group_id");

-- The message log of a programme, newest first: before, the newest of one programme were sought among those of all, or all of its own sorted.
CREATE INDEX "messages_programme_id_id_idx" ON "messages"("programme_id", "id");
