// In: a programme and a number. Out: the phone, the members who use it and the staff whose it is, in one round trip.
// Must never tell a caller that a number is or is not somebody's; the screens decide what is said.
import type { NamedReads } from '../db.ts'
import type { MemberRole } from './members.ts'
import type { StaffRole } from './staff.ts'

export interface CallerMember {
  id: string
  alias: string
  language: string | null
  role: MemberRole
  hasPin: boolean
  /** She has never said what we may send her, not even STOP. */
  unasked: boolean
}

export interface Caller {
  phoneId: string
  /** Its network refuses our messages. */
  networkBlocked: boolean
  language: string | null
  /** Somebody's binding to it is in doubt (reverify.ts); she is not among the members. */
  inDoubt: boolean
  /** To the day. */
  lastSeenAt: Date
  /** The active ones, the oldest membership first, so that the order on a screen never changes. */
  members: CallerMember[]
}

/** Active staff who may work by phone: an auditor reads in the console only, and to the phone is a stranger like any other. */
export interface StaffCaller {
  id: string
  role: StaffRole
  language: string
  hasPin: boolean
}

export interface WhoCalls {
  /** Undefined when the programme does not know the phone. */
  caller: Caller | undefined
  staff: StaffCaller | undefined
}

interface Row {
  caller: (Omit<Caller, 'lastSeenAt'> & { lastSeenAt: string }) | null
  staff: StaffCaller | null
  [column: string]: unknown
}

// Two values instead of a row of twenty columns for each member: node-postgres works out every column of an answer anew.
const sql = `
  select (
    select json_build_object(
             'phoneId', p.id, 'networkBlocked', p.network_blocked_at is not null, 'language', p.language,
             'lastSeenAt', p.last_seen_at,
             'inDoubt', exists (select from member_phones d where d.phone_id = p.id and d.reverify_since is not null),
             'members', coalesce((
               select json_agg(json_build_object(
                        'id', m.id, 'alias', m.alias, 'language', m.language, 'role', m.role,
                        'hasPin', n.member_id is not null,
                        'unasked', not exists (select from consents c where c.member_id = m.id))
                      order by m.created_at, m.id)
                 from member_phones mp
                 join members m on m.id = mp.member_id and m.status = 'active'
                 left join member_pins n on n.member_id = m.id
                where mp.phone_id = p.id and mp.reverify_since is null), '[]'))
      from phones p where p.programme_id = $1 and p.msisdn = $2
  ) as caller, (
    select json_build_object('id', s.id, 'role', s.role, 'language', s.language, 'hasPin', n.staff_id is not null)
      from staff s left join staff_pins n on n.staff_id = s.id
     where s.programme_id = $1 and s.msisdn = $2 and s.active and s.role <> 'auditor'
  ) as staff`

/** `msisdn` is E.164 with the plus sign. */
export async function whoCalls(reads: NamedReads, programmeId: string, msisdn: string): Promise<WhoCalls> {
  const [row] = await reads.query<Row>('who-calls', sql, [programmeId, msisdn])
  const caller = row?.caller ?? undefined
  return {
    caller: caller === undefined ? undefined : { ...caller, lastSeenAt: new Date(caller.lastSeenAt) },
    staff: row?.staff ?? undefined,
  }
}
