// In: a member. Out: how her own requests stand, as she may read them on a phone; no word of what each is about.
// Must never count a social worker's case among them where somebody else may be holding the phone.
import type { CalendarDate } from '../calendar.ts'
import type { Pipeline } from '../db.ts'
import { overdueSql } from './worklist.ts'

/** Requests on a screen: the open ones first, then those that were closed lately. */
export const memberCasesMax = 5
const closedDaysShown = 30

export interface MemberCase {
  reference: string
  state: 'waiting' | 'taken' | 'late' | 'appointment' | 'not_reached' | 'closed'
  promisedDate: CalendarDate | null
  appointmentAt: Date | null
  closedAt: Date | null
}

const memberCasesSql = `
  select c.reference, c.promised_date as "promisedDate", c.appointment_at as "appointmentAt", c.closed_at as "closedAt",
         case when c.status = 'closed' then case when c.outcome = 'not_reached' then 'not_reached' else 'closed' end
              when c.appointment_at >= $2::timestamptz then 'appointment'
              when ${overdueSql('$2')} then 'late'
              when c.taken_at is not null then 'taken' else 'waiting' end as state
    from cases c join programmes p on p.id = c.programme_id
   where c.member_id = $1 and (c.kind <> 'social_worker' or $3::boolean)
     and (c.status = 'open' or c.closed_at > $2::timestamptz - interval '${closedDaysShown} days')
   order by c.status = 'closed', c.opened_at desc, c.id limit ${memberCasesMax}`

/** `alone`: she has shown her PIN, and nobody else uses this phone. */
export function memberCases(
  reads: Pick<Pipeline, 'query'>,
  memberId: string,
  now: Date,
  alone: boolean,
): Promise<MemberCase[]> {
  return reads.query<MemberCase & { [column: string]: unknown }>('member-cases', memberCasesSql, [
    memberId,
    now,
    alone,
  ])
}
