// In: ids of messages about to be sent. Out: one row a message with all that the decision and the text need, in one round trip.
// Only reads. Amounts are read for full texts alone: a discreet text states none.
import type { CalendarDate } from '../calendar.ts'
import type { Pipeline } from '../db.ts'
import { consentOfMessageSql } from './opt-out.ts'
import type { Purpose } from './outbox.ts'
import { heldSql, toldAppointmentSql } from './told.ts'

export interface DecisionRow {
  id: string
  /** Under which this row's facts were read: what was told can be derived again from it. */
  snapshot: string
  purpose: Purpose
  template: string
  params: Record<string, string>
  expiresAt: Date | null
  memberId: string | null
  correctsLanguage: string | null
  /** Of a message that is sent once more: the first one arrived after all. */
  firstDelivered: boolean | null

  serviceCode: string
  senderId: string
  currencyCode: string
  timeZone: string
  languages: string[]
  officePhone: string | null
  sendFromMinute: number
  sendUntilMinute: number
  dailyCap: number
  weeklyCap: number
  /** Text that the network puts behind our first message to a number. */
  optOutTail: string | null
  country: string
  /** Segments that a full text may have; null: what the country's networks join. */
  smsSegmentsMax: number | null
  /** Countries whose mobiles get SMS. */
  smsCountries: string[]

  firstName: string | null
  memberLanguage: string | null
  memberStatus: 'active' | 'suspended' | 'left' | null
  smsForm: 'discreet' | 'full' | null
  /** The hours that she chose herself; both null for the programme's. */
  memberFromMinute: number | null
  memberUntilMinute: number | null
  memberOptedOut: boolean
  /** Her newest word about this purpose; null when nothing is recorded, and for answers to her own asking. */
  consentGranted: boolean | null

  phoneId: string | null
  msisdn: string | null
  /** It may never have had a message of ours; asked only where the network adds its tail. */
  phoneIsNew: boolean | null
  /** That of the only member who uses it where it has none of its own and the message is about nobody. */
  phoneLanguage: string | null
  phoneOptedOut: boolean
  /** Nobody else uses the phone; asked only for a member who wants full texts, null where it cannot be said. */
  phoneIsHersAlone: boolean | null
  /** Its network refuses our messages. */
  networkBlocked: boolean
  /** Her binding to the phone is in doubt: it counts as a stranger's. */
  inDoubt: boolean
  /** Planned messages that she got today or that are on their way to her. */
  toldToday: number
  /** The same for today and the six days before. */
  toldThisWeek: number

  entryReversed: boolean | null
  entryDate: CalendarDate | null
  entryPurpose: 'loan' | 'savings' | null
  entryAmount: string | null
  entryCurrency: string | null
  /** Of the accounts that the entry touched, after all entries so far, as the ledger has it (debit above zero). */
  entryBalance: string | null
  loanPrincipal: string | null
  firstDueDate: CalendarDate | null
  firstDueAmount: string | null

  instalmentId: string | null
  dueDate: CalendarDate | null
  remaining: string | null
  loanCurrency: string | null
  loanCycle: number | null
  facilitator: string | null

  meetingId: string | null
  meetingStatus: string | null
  meetingStartsAt: Date | null
  meetingPlace: string | null
  trainingId: string | null
  trainingStatus: string | null
  trainingStartsAt: Date | null
  trainingPlace: string | null
  trainingTitles: Record<string, string> | null

  caseId: string | null
  caseStatus: string | null
  appointmentAt: Date | null
  /** When it is by what she was told last, "off" where that took it back; null: she was told nothing. */
  appointmentTold: string | null

  noticeId: string | null
  noticeStatus: string | null
  /** What its template states, or what somebody wrote, by language. */
  noticeFields: Record<string, string> | null
  noticeTexts: Record<string, string> | null
  /** How often the meeting or training was moved, cancelled or put back. */
  gatheringChanges: number | null
  /** All that she may know of it is still so; null: nobody told her, or the message is about something else. */
  gatheringHolds: boolean | null
  /** When a message of ours last told her of it. */
  gatheringToldAt: Date | null
}

/** Purposes that the daily cap and the send window of planned messages are about. */
export const plannedPurposes: ReadonlySet<Purpose> = new Set([
  'reminder',
  'meeting',
  'training',
  'notice',
  'survey',
  'promotion',
])

// A condition after ON would be asked only once the lateral part has been read: what spares the reading stands inside.
const planned = `('reminder', 'meeting', 'training', 'notice', 'survey', 'promotion')`

// A reply goes to the phone that asked; everything else to the phone that is primary now, whatever an earlier try found.
const phoneSql = `
  left join member_phones mp on mp.member_id = m.member_id and mp.is_primary
  left join phones ph on ph.id = case
    when m.member_id is null or m.purpose in ('reply', 'code') then coalesce(m.phone_id, mp.phone_id)
    else mp.phone_id end`

// "unknown" counts from its last move: the provider may have sent it. A claimed row counts for later ids only, so that
// two senders at once cannot both take the last place of the day.
const toldSql = `
  left join lateral (
    select count(*) filter (where at >= pr.day_starts_at) as today, count(*) as week
      from (select o.submitted_at as at from messages o
             where m.purpose in ${planned} and o.member_id = m.member_id and o.submitted_at is not null
               and o.purpose in ${planned} and o.submitted_at >= pr.week_starts_at and o.id <> m.id
            union all
            select o.updated_at from messages o
             where m.purpose in ${planned} and o.member_id = m.member_id and o.stage in (0, 2)
               and o.status in ('claimed', 'submitting', 'unknown')
               and o.purpose in ${planned} and o.submitted_at is null and o.updated_at >= pr.week_starts_at
               and (o.status <> 'claimed' or o.id < m.id) and o.id <> m.id and not o.id = any($1)) others
  ) told on true`

// "opening" and the like never become messages, so what an entry is about follows from its kind (for a reversal: the
// kind it undoes).
const entrySql = `
  left join lateral (
    select coalesce(undone.booked_date, e.booked_date) as booked_date,
           exists (select 1 from entries r where r.reverses_id = e.id) as reversed,
           case when coalesce(undone.kind, e.kind) like 'loan%' then 'loan'
                when coalesce(undone.kind, e.kind) like 'savings%' then 'savings' end as purpose
      from entries e left join entries undone on undone.id = e.reverses_id
     where e.id = m.entry_id
  ) entry on m.entry_id is not null
  left join lateral (
    select abs(sum(p.amount))::text as amount, min(a.currency_code) as currency, min(l.principal)::text as principal,
           min(l.id::text)::uuid as loan_id,
           (select sum(b.amount)::text from postings b where b.account_id = any(array_agg(distinct a.id))) as balance
      from postings p
      join accounts a on a.id = p.account_id and a.purpose = entry.purpose
      left join loans l on l.account_id = a.id
     where p.entry_id = m.entry_id and coalesce(l.member_id, a.member_id) = m.member_id and mb.sms_form = 'full'
  ) booked on true
  left join lateral (
    select i.due_date, (i.principal + i.interest + i.fee + i.insurance)::text as amount
      from instalments i where i.loan_id = booked.loan_id and m.template = 'loan.disbursed'
     order by i.due_date, i.number limit 1
  ) first_due on true`

// Only of her own loan: about anybody else's there is nothing to say to her.
// What is still to be paid of the instalment: the balance less all later instalments, between zero and its own amount.
const instalmentSql = `
  left join lateral (
    select i.due_date, l.cycle, a.currency_code,
           greatest(0, least(i.principal + i.interest + i.fee + i.insurance, balance.amount - later.amount))::text
             as remaining
      from instalments i
      join loans l on l.id = i.loan_id
      join accounts a on a.id = l.account_id
      cross join lateral (
        select coalesce(sum(p.amount), 0) as amount from postings p where p.account_id = l.account_id) balance
      cross join lateral (
        select coalesce(sum(j.principal + j.interest + j.fee + j.insurance), 0) as amount
          from instalments j
         where j.loan_id = l.id and (j.due_date, j.number) > (i.due_date, i.number)) later
     where i.id = m.instalment_id and l.member_id = m.member_id
  ) due on m.instalment_id is not null`

const decisionSql = `
with programme_days as materialized (
  select *, date_trunc('day', $2::timestamptz at time zone time_zone) at time zone time_zone as day_starts_at,
         (date_trunc('day', $2::timestamptz at time zone time_zone) - interval '6 days') at time zone time_zone as week_starts_at
    from programmes
)
select m.id, pg_current_snapshot()::text as snapshot, m.purpose, m.template, m.params, m.expires_at as "expiresAt", m.member_id as "memberId",
       corrected.language as "correctsLanguage",
       case when m.resends_id is not null
            then exists (select 1 from messages f where f.id = m.resends_id and f.status = 'delivered') end as "firstDelivered",
       pr.service_code as "serviceCode", pr.sender_id as "senderId", pr.currency_code as "currencyCode",
       pr.time_zone as "timeZone", pr.languages, pr.office_phone as "officePhone",
       pr.send_from_minute as "sendFromMinute", pr.send_until_minute as "sendUntilMinute",
       pr.daily_cap as "dailyCap", pr.weekly_cap as "weeklyCap", pr.country::text, pr.sms_segments_max as "smsSegmentsMax",
       case when pr.sms_countries = '{}' then array[pr.country::text] else pr.sms_countries end as "smsCountries",
       mb.first_name as "firstName", mb.language as "memberLanguage", mb.status as "memberStatus",
       mb.sms_from_minute as "memberFromMinute", mb.sms_until_minute as "memberUntilMinute",
       mb.sms_form as "smsForm", coalesce(mb.opted_out_at is not null, false) as "memberOptedOut",
       ${consentOfMessageSql('m')} as "consentGranted",
       ph.id as "phoneId", ph.msisdn, pr.opt_out_tail as "optOutTail",
       case when pr.opt_out_tail is not null then ph.greeted_at is null end as "phoneIsNew",
       coalesce(ph.language, case when m.member_id is null then (
         select min(hers.language) from member_phones s join members hers on hers.id = s.member_id
          where s.phone_id = ph.id having count(*) = 1) end) as "phoneLanguage",
       coalesce(ph.opted_out_at is not null, false) as "phoneOptedOut",
       case when mb.sms_form = 'full'
            then (select bool_and(s.member_id = mb.id) from member_phones s where s.phone_id = ph.id) end as "phoneIsHersAlone",
       coalesce(ph.network_blocked_at is not null, false) as "networkBlocked",
       case when m.purpose in ('reply', 'code')
            then m.member_id is not null and not exists (
              select 1 from member_phones d
               where d.member_id = m.member_id and d.phone_id = ph.id and d.reverify_since is null)
            else mp.reverify_since is not null end as "inDoubt",
       coalesce(told.today, 0)::int as "toldToday", coalesce(told.week, 0)::int as "toldThisWeek",
       entry.reversed as "entryReversed", entry.booked_date as "entryDate", entry.purpose as "entryPurpose",
       booked.amount as "entryAmount", booked.currency as "entryCurrency", booked.balance as "entryBalance",
       booked.principal as "loanPrincipal",
       first_due.due_date as "firstDueDate", first_due.amount as "firstDueAmount",
       m.instalment_id as "instalmentId", due.due_date as "dueDate", due.remaining,
       due.currency_code as "loanCurrency", due.cycle as "loanCycle", st.first_name as "facilitator",
       mt.id as "meetingId", mt.status as "meetingStatus", mt.starts_at as "meetingStartsAt",
       mt.place as "meetingPlace",
       ts.id as "trainingId", ts.status as "trainingStatus", ts.starts_at as "trainingStartsAt",
       ts.place as "trainingPlace", tm.titles as "trainingTitles",
       m.case_id as "caseId", ca.status as "caseStatus", ca.appointment_at as "appointmentAt",
       case when m.case_id is not null then ${toldAppointmentSql('m.case_id', 'o.id = any($1) or o.id is not distinct from m.resends_id')} end as "appointmentTold",
       m.notice_id as "noticeId", nt.status as "noticeStatus", nt.fields as "noticeFields", nt.texts as "noticeTexts",
       coalesce(mt.changes, ts.changes) as "gatheringChanges", held.holds as "gatheringHolds", held.told_at as "gatheringToldAt"
  from unnest($1::uuid[]) with ordinality as wanted(id, position)
  join messages m on m.id = wanted.id
  join programme_days pr on pr.id = m.programme_id
  left join members mb on mb.id = m.member_id
  left join messages corrected on corrected.id = m.corrects_id
  ${phoneSql}
  ${toldSql}
  ${entrySql}
  ${instalmentSql}
  left join groups g on g.id = mb.group_id
  left join staff st on st.id = g.facilitator_id and st.active
  left join meetings mt on mt.id = m.meeting_id
  left join training_sessions ts on ts.id = m.training_session_id
  left join training_modules tm on tm.id = ts.module_id
  left join cases ca on ca.id = m.case_id
  left join notices nt on nt.id = m.notice_id
  ${heldSql}
 order by wanted.position`

/** Rows in the order of `ids`; an id without a message has none. */
export function readDecisionRows(reads: Pipeline, ids: readonly string[], now: Date): Promise<DecisionRow[]> {
  return reads.query<DecisionRow & { [column: string]: unknown }>('outbound-decision', decisionSql, [
    ids,
    now,
  ])
}
