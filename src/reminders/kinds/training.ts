// The day before a training of her group: one reminder for each member, until it begins. One that is called later is told at once.
import { gatheringKey, reachable, startsAtParam, windowStart } from '../select.ts'

export const training = {
  name: 'training',
  select: `
  select $1::uuid, mb.id, 'training', 'reminder.training', 'planned', ${gatheringKey('training', 'g')},
         ${startsAtParam('g')}, null::uuid, null::uuid, g.id,
         ${windowStart('(g.starts_at at time zone pr.time_zone)::date - 1')}, g.starts_at
    from training_sessions g
    join groups gr on gr.id = g.group_id and gr.programme_id = $1
    join members mb on mb.group_id = gr.id
    join programmes pr on pr.id = $1
   where g.status = 'planned' and g.starts_at > $2::timestamptz
     and g.starts_at < ($3::date + 2)::timestamp at time zone pr.time_zone
     and ${reachable('meeting')}
     and not exists (select 1 from messages s
                      where s.programme_id = $1 and s.dedupe_key = ${gatheringKey('training', 'g')})`,
}
