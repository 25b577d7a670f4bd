// In: who looks. Out: the cases that he or she may see, those promised first at the head; and how many wait for him or her.
// Must never show a social worker's case to anybody but social workers, not even that it is there.
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import type { CaseKind } from './rules.ts'

export type CaseRole =
  | 'facilitator'
  | 'adviser'
  | 'social_worker'
  | 'branch'
  | 'administrator'
  | 'auditor'
  /** A program with an API key. */
  | 'api'

/** With whose eyes a case is looked at. */
export interface Looker {
  role: CaseRole
  /** Without it a facilitator or adviser sees nothing. */
  staffId?: string | undefined
}

/** How a case that staff close may end. */
export const caseOutcomes = ['answered', 'corrected', 'confirmed', 'not_reached', 'withdrawn'] as const
export type CaseOutcome = (typeof caseOutcomes)[number]

export interface CaseState {
  id: string
  reference: string
  kind: CaseKind
  status: 'open' | 'closed'
  outcome: CaseOutcome | 'erased' | null
  memberId: string
  /** Member number. */
  member: string
  firstName: string
  lastName: string
  groupId: string | null
  ownerId: string | null
  /** First name. */
  owner: string | null
  /** That she wants to be spoken to in. */
  language: string | null
  entry: { reference: string; kind: string; bookedDate: CalendarDate } | null
  openedAt: Date
  promisedDate: CalendarDate | null
  takenAt: Date | null
  appointmentAt: Date | null
  escalatedAt: Date | null
  closedAt: Date | null
  /** The promised day is over, and no meeting with an adviser stands ahead. */
  overdue: boolean
}

/** Of case `c` and programme `p` at the instant `at`: nobody has answered by the day that she was promised. */
export const overdueSql = (at: string) => `
  (c.status = 'open' and c.promised_date < (${at}::timestamptz at time zone p.time_zone)::date
     and (c.appointment_at is null or c.appointment_at < ${at}::timestamptz))`

/** The walls: whether the role `role` with the eyes of `staffId` sees case `c`. */
export const seenSql = (role: string, staffId: string) => `
  (case when c.kind = 'social_worker' then ${role}::text = 'social_worker'
        when ${role}::text in ('branch', 'administrator', 'auditor', 'api') then true
        else coalesce(c.owner_id = ${staffId}::uuid, false)
             or (${role}::text = 'facilitator' and exists (
                   select 1 from members sm join groups sg on sg.id = sm.group_id
                    where sm.id = c.member_id and sg.facilitator_id = ${staffId}::uuid))
   end)`

/** $1 programme, $2 role, $3 whose eyes, $4 now. */
const statesSql = `
  select c.id, c.reference, c.kind, c.status, c.outcome, m.id as "memberId", m.number as member,
         m.first_name as "firstName", m.last_name as "lastName", m.group_id as "groupId",
         c.owner_id as "ownerId", s.first_name as owner, c.language,
         case when e.id is not null
           then json_build_object('reference', e.reference, 'kind', e.kind, 'bookedDate', e.booked_date) end as entry,
         c.opened_at as "openedAt", c.promised_date as "promisedDate", c.taken_at as "takenAt",
         c.appointment_at as "appointmentAt", c.escalated_at as "escalatedAt", c.closed_at as "closedAt",
         coalesce(${overdueSql('$4')}, false) as overdue
    from cases c
    join programmes p on p.id = c.programme_id
    join members m on m.id = c.member_id
    left join staff s on s.id = c.owner_id
    left join entries e on e.id = c.entry_id
   where c.programme_id = $1 and ${seenSql('$2', '$3')}`

export interface CasesAsk extends Looker {
  programmeId: string
  status: 'open' | 'closed'
  /** Only what this person owns. */
  ownerId?: string | undefined
  memberId?: string | undefined
  kind?: CaseKind | undefined
  /** Only those whose promised day is over. */
  overdue?: boolean | undefined
  limit: number
  /** Reference of the last case of the page before. */
  before?: string | undefined
  now: Date
}

const orders = {
  open: { by: `coalesce(c.promised_date, 'infinity'), c.opened_at, c.id`, beyond: '>', way: 'asc' },
  closed: { by: `c.closed_at, c.opened_at, c.id`, beyond: '<', way: 'desc' },
} as const

/** Open: promised first, so that what is overdue stands at the head; closed: the newest first. */
export async function casesOf(tx: Queryable, ask: CasesAsk): Promise<CaseState[]> {
  const { programmeId, role, ownerId, staffId = ownerId, status, memberId, kind, overdue, now } = ask
  const { by, beyond, way } = orders[status]
  const { rows } = await tx.query<CaseState>(
    `${statesSql} and c.status = $5
       and ($6::uuid is null or c.owner_id = $6) and ($7::uuid is null or c.member_id = $7) and ($8::text is null or c.kind = $8)
       and ($9::boolean is not true or ${overdueSql('$4')})
       and ($10::text is null or (${by}) ${beyond} (select ${by} from cases c where c.programme_id = $1 and c.reference = $10))
     order by ${by.replaceAll(', c.', ` ${way}, c.`)} ${way} limit $11`,
    [
      programmeId,
      role,
      staffId ?? null,
      now,
      status,
      ownerId ?? null,
      memberId ?? null,
      kind ?? null,
      overdue ?? null,
      ask.before ?? null,
      ask.limit,
    ],
  )
  return rows
}

/** Undefined when there is none, or none that may be seen. */
export async function caseByReference(
  tx: Queryable,
  looker: Looker & { programmeId: string; now: Date },
  reference: string,
): Promise<CaseState | undefined> {
  const { programmeId, role, staffId, now } = looker
  const { rows } = await tx.query<CaseState>(`${statesSql} and c.reference = $5`, [
    programmeId,
    role,
    staffId ?? null,
    now,
    reference,
  ])
  return rows[0]
}

export interface CaseCount {
  open: number
  overdue: number
}

/** What waits for a person: his or her own cases, and for administrators also those that nobody owns. */
export async function countOpenCases(
  tx: Queryable,
  staffId: string,
  role: CaseRole,
  now: Date,
): Promise<CaseCount> {
  const { rows } = await tx.query<CaseCount>(
    `select count(*)::int as open, (count(*) filter (where ${overdueSql('$3')}))::int as overdue
       from staff s
       join programmes p on p.id = s.programme_id
       join cases c on c.programme_id = s.programme_id and c.status = 'open'
        and (c.owner_id = s.id or (c.owner_id is null and $2::text in ('administrator', 'social_worker')))
      where s.id = $1 and ${seenSql('$2', '$1')}`,
    [staffId, role, now],
  )
  return rows[0] ?? { open: 0, overdue: 0 }
}

/** What administrators may know of the social workers' cases: how many, and how many of them nobody owns. */
export async function countSocialCases(
  tx: Queryable,
  programmeId: string,
  now: Date,
): Promise<CaseCount & { unowned: number }> {
  const { rows } = await tx.query<CaseCount & { unowned: number }>(
    `select count(*)::int as open, (count(*) filter (where ${overdueSql('$2')}))::int as overdue,
            (count(*) filter (where c.owner_id is null))::int as unowned
       from cases c join programmes p on p.id = c.programme_id
      where c.programme_id = $1 and c.kind = 'social_worker' and c.status = 'open'`,
    [programmeId, now],
  )
  return rows[0] ?? { open: 0, overdue: 0, unowned: 0 }
}
