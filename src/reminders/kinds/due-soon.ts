// Three days before an instalment falls due: one reminder, unless it is paid. After an outage also later, up to the day itself.
import { dueKey, endOf, reachable, unpaidInstalments, windowStart } from '../select.ts'

const daysBefore = 3

export const dueSoon = {
  name: 'due_soon',
  select: `${unpaidInstalments('due_soon', '$3::date', `$3::date + ${daysBefore}`)}
  select $1::uuid, mb.id, 'reminder', 'reminder.due_soon', 'planned', ${dueKey('due_soon', 'u')},
         jsonb_build_object('dueDate', u.due_date::text), u.id, null::uuid, null::uuid,
         ${windowStart(`u.due_date - ${daysBefore}`)}, ${endOf('u.due_date')}
    from unpaid u
    join members mb on mb.id = u.member_id
    join programmes pr on pr.id = $1
   where ${reachable('reminder')}`,
}
