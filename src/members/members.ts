// In: a programme and a number. Out: the phone and the members who use it, in one round trip.
// Must never tell a caller that a number is or is not a member's; the screens decide what is said.
import type { Pipeline, Queryable } from '../db.ts'

export type MemberStatus = 'active' | 'suspended' | 'left'
export type MemberRole = 'member' | 'president' | 'treasurer' | 'educator'

export interface CallerMember {
  id: string
  groupId: string | null
  alias: string
  firstName: string
  status: MemberStatus
  language: string | null
  role: MemberRole
  smsForm: 'discreet' | 'full'
  hasPin: boolean
  optedOut: boolean
  /** She has never said what we may send her, not even STOP. */
  unasked: boolean
}

export interface Caller {
  phoneId: string
  optedOut: boolean
  /** Its network refuses our messages. */
  networkBlocked: boolean
  language: string | undefined
  /** Somebody's binding to it is in doubt (reverify.ts); she is not among the members. */
  inDoubt: boolean
  /** To the day. */
  lastSeenAt: Date
  /** Oldest membership first, so that the order on a screen never changes. */
  members: CallerMember[]
}

interface CallerRow extends Omit<CallerMember, 'id'> {
  phoneId: string
  phoneLanguage: string | null
  phoneOptedOut: boolean
  networkBlocked: boolean
  inDoubt: boolean
  lastSeenAt: Date
  id: string | null
}

const callerSql = `
  select p.id as "phoneId", p.language as "phoneLanguage", p.opted_out_at is not null as "phoneOptedOut",
         p.network_blocked_at is not null as "networkBlocked",
         p.last_seen_at as "lastSeenAt", mp.reverify_since is not null as "inDoubt",
         m.id, m.group_id as "groupId", m.alias, m.first_name as "firstName", m.status, m.language, m.role,
         m.sms_form as "smsForm", n.member_id is not null as "hasPin", m.opted_out_at is not null as "optedOut",
         not exists (select 1 from consents c where c.member_id = m.id) as unasked
    from phones p
    left join member_phones mp on mp.phone_id = p.id
    left join members m on m.id = mp.member_id
    left join member_pins n on n.member_id = m.id
   where p.programme_id = $1 and p.msisdn = $2
   order by m.created_at, m.id`

/** Undefined when the number is not known to the programme. `msisdn` is E.164 with the plus sign. */
export async function findCaller(
  reads: Pipeline,
  programmeId: string,
  msisdn: string,
): Promise<Caller | undefined> {
  const rows = await reads.query<CallerRow>('caller', callerSql, [programmeId, msisdn])
  const first = rows[0]
  if (first === undefined) return undefined
  const members: CallerMember[] = []
  for (const {
    phoneId: _,
    phoneLanguage: __,
    phoneOptedOut: ___,
    networkBlocked: ____,
    lastSeenAt: _____,
    inDoubt,
    id,
    ...member
  } of rows)
    if (id !== null && !inDoubt) members.push({ id, ...member })
  return {
    phoneId: first.phoneId,
    optedOut: first.phoneOptedOut,
    networkBlocked: first.networkBlocked,
    language: first.phoneLanguage ?? undefined,
    inDoubt: rows.some(({ inDoubt }) => inDoubt),
    lastSeenAt: first.lastSeenAt,
    members,
  }
}

/** Her choice becomes the phone's too: it speaks while we do not know who holds it. */
export async function chooseLanguage(
  tx: Queryable,
  phoneId: string,
  memberId: string | undefined,
  language: string,
): Promise<void> {
  await tx.query(
    `with phone as (update phones set language = $3 where id = $1)
     update members set language = $3 where id = $2`,
    [phoneId, memberId ?? null, language],
  )
}
