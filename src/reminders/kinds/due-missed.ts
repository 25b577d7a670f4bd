// The day after a missed instalment: one follow-up and no more, and none while something was posted on the loan within 24 hours.
// After an outage one day later at most: evidence says that late reminders add nothing.
import { dueKey, endOf, reachable, unpaidInstalments, windowStart } from '../select.ts'

const daysAfterMax = 2

export const dueMissed = {
  name: 'due_missed',
  select: `${unpaidInstalments('due_missed', `$3::date - ${daysAfterMax}`, '$3::date - 1')}
  select $1::uuid, mb.id, 'reminder', 'reminder.due_missed', 'planned', ${dueKey('due_missed', 'u')},
         jsonb_build_object('dueDate', u.due_date::text), u.id, null::uuid, null::uuid,
         ${windowStart('u.due_date + 1')}, ${endOf(`u.due_date + ${daysAfterMax}`)}
    from unpaid u
    join members mb on mb.id = u.member_id
    join programmes pr on pr.id = $1
   where ${reachable('reminder')}
     and not exists (
       select 1 from postings p join entries e on e.id = p.entry_id
        where p.account_id = u.account_id
          and e.created_at > $2::timestamptz - interval '24 hours' and e.created_at <= $2::timestamptz)`,
}
