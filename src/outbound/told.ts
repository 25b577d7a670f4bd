// In: a message about a meeting or training. Out: SQL for what the member may have been told of it, and whether that still holds.
// What a text stated follows from the snapshot that it was made under; nothing is noted twice. Only reads.
import { mayHaveGone } from './pause.ts'
import { unknownEnds } from './unknown.ts'

/** True for a message of this alias that the phone has or may have. */
export const mayHaveArrivedSql = (o: string) => `(
  ${o}.status in ('submitting', 'submitted', 'sent', 'delivered', 'undelivered', 'unknown')
  or ${o}.status = 'failed' and ${o}.reason in (${unknownEnds.map((end) => `'${end}'`).join(', ')})
  or ${o}.status = 'suppressed' and ${o}.reason = '${mayHaveGone}')`

/** Templates of what says that a meeting or training is not as she was told. */
export const changeTemplates = [
  'meeting.moved',
  'meeting.cancelled',
  'training.moved',
  'training.cancelled',
] as const

export const isChange = (template: string): boolean => changeTemplates.some((one) => one === template)

/** The same of an appointment. */
const appointmentChanges: readonly string[] = ['case.appointment_moved', 'case.appointment_cancelled']

/** Takes back what she was told, so that no cap holds it. */
export const takesBack = (template: string): boolean =>
  isChange(template) || appointmentChanges.includes(template)

/**
 * SQL for when an appointment is by the newest word that a member of the case `caseId` has or may have, 'off' where that took it back,
 * null where she has none. `but` holds for messages `o` that are no such word.
 */
export const toldAppointmentSql = (caseId: string, but: string) => `(
  select case o.template when 'case.appointment_cancelled' then 'off' else o.params->>'startsAt' end
    from messages o
   where o.case_id = ${caseId} and not (${but}) and (o.status = 'claimed' or ${mayHaveArrivedSql('o')})
   order by coalesce(o.facts_at, o.updated_at) desc, o.id desc limit 1)`

const heldTemplates = [...changeTemplates, 'reminder.meeting', 'reminder.training']
  .map((template) => `'${template}'`)
  .join(', ')

/** Whether a meeting was, at the version that `endedLater` picks, what it is now. A cancelled one has neither hour nor place. */
const sameAsThen = (endedLater: string) => `coalesce((
  select case when 'cancelled' in (f.was->>'status', now_is.status) then f.was->>'status' = now_is.status
              else (f.was->>'starts_at')::timestamptz = now_is.starts_at and f.was->>'place' = now_is.place end
    from former_rows f
   where f.relation = case when m.meeting_id is null then 'training_sessions' else 'meetings' end
     and f.row_id = coalesce(m.meeting_id, m.training_session_id) and ${endedLater}
   order by f.id limit 1), true)`

/**
 * For a message "m" about a meeting "mt" or training "ts" with `$1` the batch that is decided: whether all that she may know of it is
 * still so (null: nobody told her), and when we last told her. What she knows begins with the last word that surely reached her, and
 * whatever may have reached her since. A message that another sender is about to hand over may say what is no longer true.
 */
export const heldSql = `
  left join lateral (
    select bool_and(same) as holds, max(at) filter (where ours) as told_at
      from (
        select *, max(at) filter (where sure) over () as sure_at
          from (
            select coalesce(o.facts_at, o.updated_at) as at, true as ours, o.status = 'delivered' as sure,
                   o.facts_snapshot is not null and ${sameAsThen('not pg_visible_in_snapshot(f.tx_id, o.facts_snapshot)')} as same
              from messages o
              cross join (select coalesce(mt.status, ts.status) as status, coalesce(mt.starts_at, ts.starts_at) as starts_at,
                                 coalesce(mt.place, ts.place) as place) now_is
             where m.template in (${heldTemplates}) and o.member_id = m.member_id
               and (o.meeting_id = m.meeting_id or o.training_session_id = m.training_session_id)
               and o.purpose in ('meeting', 'training') and o.id is distinct from m.resends_id
               and o.id <> m.id and not o.id = any($1)
               and (o.status = 'claimed' or ${mayHaveArrivedSql('o')})
            union all
            select a.answered_at, false, true, ${sameAsThen('(a.tx_id is null or f.tx_id > a.tx_id)')}
              from meeting_answers a
              cross join (select mt.status, mt.starts_at, mt.place) now_is
             where m.template in (${heldTemplates}) and a.meeting_id = m.meeting_id and a.member_id = m.member_id
          ) words
      ) known
     where at >= coalesce(sure_at, '-infinity')
  ) held on true`
