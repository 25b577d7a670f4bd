// In: a member. Out: what one screen needs (position, schedule, movements), each in one prepared round trip.
// Amounts come from committed postings alone. Must never write, and never run a statement that can block.
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { NamedReads, Pipeline } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { Amount } from '../money.ts'
import type { EntryKind } from './entries.ts'

export interface DueInstalment {
  id: string
  dueDate: CalendarDate
  remaining: Amount
}

export interface LoanPosition {
  loanId: string
  number: string
  product: string
  outstanding: Amount
  /** Unpaid of instalments whose due date is before today. */
  overdue: Amount
  /** First instalment due today or later that is not fully paid. */
  next: DueInstalment | undefined
}

export interface MemberBalances {
  currency: string
  /** Those with something outstanding, oldest first. */
  loans: LoanPosition[]
  /** Undefined: she has no savings account. */
  savings: Amount | undefined
}

export interface MemberPosition extends MemberBalances {
  nextMeeting: { id: string; startsAt: Date; place: string; coming: boolean | undefined } | undefined
  nextTraining: { id: string; startsAt: Date; place: string; titles: Record<string, string> } | undefined
  /** Of the sessions that every member takes before her first loan. */
  initialDone: number
  initialTotal: number
  /** All of them attended, and no loan ever. */
  readyForFirstLoan: boolean
}

// remaining = clamp(outstanding - amounts of later instalments, 0, amount): the rule of allocation.ts.
export const remainingSql = `
  select i.id, i.due_date, i.number, i.amount,
         greatest(0, least(i.amount, b.outstanding - (sum(i.amount) over later - i.amount))) as remaining
    from (select id, due_date, number, principal + interest + fee + insurance as amount
            from instalments where loan_id = l.id) i
  window later as (order by i.due_date desc, i.number desc rows unbounded preceding)`

// Her loans and savings, for a row "m" of members: one pass over her accounts. `today` names the parameter.
const ownSql = (today: '$2' | '$3') => `
  cross join lateral (
    select -sum(b.outstanding) filter (where a.purpose = 'savings') as savings,
           json_agg(json_build_array(l.id, l.number, l.product, b.outstanding::text, due.overdue::text,
                    due.next_id, due.next_date, due.next_remaining::text) order by l.cycle, l.number)
             filter (where l.id is not null) as loans
      from accounts a
      cross join lateral (select coalesce(sum(amount), 0) as outstanding from postings where account_id = a.id) b
      left join loans l on l.account_id = a.id and b.outstanding > 0
      left join lateral (
        select coalesce(sum(remaining) filter (where due_date < ${today}), 0) as overdue,
               (array_agg(id order by due_date, number) filter (where remaining > 0 and due_date >= ${today}))[1] as next_id,
               min(due_date) filter (where remaining > 0 and due_date >= ${today}) as next_date,
               (array_agg(remaining order by due_date, number) filter (where remaining > 0 and due_date >= ${today}))[1]
                 as next_remaining
          from (${remainingSql}) r
      ) due on l.id is not null
     where a.member_id = m.id and a.purpose in ('savings', 'loan')
  ) own`

const balancesSql = `
select p.currency_code as currency, own.loans, own.savings
  from members m
  join programmes p on p.id = m.programme_id
  ${ownSql('$2')}
 where m.id = $1`

/** Sessions that every member takes before her first loan, for a row "m" of members: how many there are, and how many she attended. */
export const initialTotalSql =
  '(select count(*) from training_modules where programme_id = m.programme_id and initial)::int'
export const initialDoneSql = `(
  select count(distinct s.module_id) from training_attendances t
    join training_sessions s on s.id = t.session_id
    join training_modules d on d.id = s.module_id and d.initial
   where t.member_id = m.id and t.attended)::int`

const positionSql = `
select p.currency_code as currency, own.loans, own.savings,
       meeting.id as "meetingId", meeting.starts_at as "meetingStartsAt", meeting.place as "meetingPlace",
       answer.coming as "meetingComing",
       training.id as "trainingId", training.starts_at as "trainingStartsAt", training.place as "trainingPlace",
       training.titles as "trainingTitles",
       ${initialTotalSql} as "initialTotal", ${initialDoneSql} as "initialDone",
       exists (select 1 from loans where member_id = m.id) as borrowed
  from members m
  join programmes p on p.id = m.programme_id
  ${ownSql('$3')}
  left join lateral (
    select id, starts_at, place from meetings
     where group_id = m.group_id and starts_at >= $2 and status = 'planned' order by starts_at limit 1
  ) meeting on true
  left join meeting_answers answer on answer.meeting_id = meeting.id and answer.member_id = m.id
  left join lateral (
    select s.id, s.starts_at, s.place, d.titles from training_sessions s join training_modules d on d.id = s.module_id
     where s.group_id = m.group_id and s.starts_at >= $2 and s.status = 'planned' order by s.starts_at limit 1
  ) training on true
 where m.id = $1`

type LoanColumns = [
  loanId: string,
  number: string,
  product: string,
  outstanding: string,
  overdue: string,
  nextId: string | null,
  nextDate: CalendarDate | null,
  nextRemaining: string | null,
]

interface BalancesRow {
  currency: string
  loans: LoanColumns[] | null
  savings: string | null
}

interface PositionRow extends BalancesRow {
  meetingId: string | null
  meetingStartsAt: Date
  meetingPlace: string
  meetingComing: boolean | null
  trainingId: string | null
  trainingStartsAt: Date
  trainingPlace: string
  trainingTitles: Record<string, string>
  initialDone: number
  initialTotal: number
  borrowed: boolean
}

function balancesOf(row: BalancesRow): MemberBalances {
  return {
    currency: row.currency,
    loans: (row.loans ?? []).map(
      ([loanId, number, product, outstanding, overdue, nextId, nextDate, nextRemaining]) => ({
        loanId,
        number,
        product,
        outstanding: new Decimal(outstanding),
        overdue: new Decimal(overdue),
        next:
          nextId === null || nextDate === null || nextRemaining === null
            ? undefined
            : { id: nextId, dueDate: nextDate, remaining: new Decimal(nextRemaining) },
      }),
    ),
    savings: row.savings === null ? undefined : new Decimal(row.savings),
  }
}

/** What falls due next: on the earliest day of all her loans, with everything that is still to be paid on that day. */
export function nextDueOf(
  loans: readonly Pick<LoanPosition, 'next'>[],
): { dueDate: CalendarDate; amount: Amount } | undefined {
  const all = loans.flatMap((loan) => loan.next ?? [])
  const dueDate = all.map((next) => next.dueDate).sort()[0]
  if (dueDate === undefined) return undefined
  const ofDay = all.filter((next) => next.dueDate === dueDate)
  return { dueDate, amount: ofDay.reduce((sum, next) => sum.plus(next.remaining), new Decimal(0)) }
}

/** The money part of the position alone, at half its cost: for screens that show no meeting and no training. */
export async function readBalances(
  reads: Pipeline,
  memberId: string,
  today: CalendarDate,
): Promise<MemberBalances> {
  const [row] = await reads.query<BalancesRow>('member-balances', balancesSql, [memberId, today])
  if (row === undefined) throw new InvariantError('balances were asked for an unknown member')
  return balancesOf(row)
}

/** `today` is the business day in the programme's time zone. Throws an InvariantError for an id that is no member's. */
export async function readPosition(
  reads: NamedReads,
  memberId: string,
  now: Date,
  today: CalendarDate,
): Promise<MemberPosition> {
  const [row] = await reads.query<PositionRow>('member-position', positionSql, [memberId, now, today])
  if (row === undefined) throw new InvariantError('a position was asked for an unknown member')
  return {
    ...balancesOf(row),
    nextMeeting:
      row.meetingId === null
        ? undefined
        : {
            id: row.meetingId,
            startsAt: row.meetingStartsAt,
            place: row.meetingPlace,
            coming: row.meetingComing ?? undefined,
          },
    nextTraining:
      row.trainingId === null
        ? undefined
        : {
            id: row.trainingId,
            startsAt: row.trainingStartsAt,
            place: row.trainingPlace,
            titles: row.trainingTitles,
          },
    initialDone: row.initialDone,
    initialTotal: row.initialTotal,
    readyForFirstLoan: isReadyForFirstLoan(row),
  }
}

/** The one rule, for her own screen and for staff. */
export function isReadyForFirstLoan(
  of: Pick<PositionRow, 'initialDone' | 'initialTotal' | 'borrowed'>,
): boolean {
  return of.initialTotal > 0 && of.initialDone >= of.initialTotal && !of.borrowed
}

export interface ScheduledInstalment {
  loanNumber: string
  dueDate: CalendarDate
  amount: Amount
  remaining: Amount
}

const scheduleSql = `
select l.number as "loanNumber", r.due_date as "dueDate", r.amount, r.remaining
  from loans l
  cross join lateral (select sum(amount) as outstanding from postings where account_id = l.account_id) b
  cross join lateral (${remainingSql}) r
 where l.member_id = $1 and b.outstanding > 0
 order by l.cycle, l.number, r.due_date, r.number`

/** Every instalment, paid or not, of her loans that have something outstanding; in due order loan by loan. */
export async function readSchedule(reads: Pipeline, memberId: string): Promise<ScheduledInstalment[]> {
  const rows = await reads.query<{
    loanNumber: string
    dueDate: CalendarDate
    amount: string
    remaining: string
  }>('member-schedule', scheduleSql, [memberId])
  return rows.map((row) => ({
    ...row,
    amount: new Decimal(row.amount),
    remaining: new Decimal(row.remaining),
  }))
}

export interface Movement {
  entryId: string
  bookedDate: CalendarDate
  kind: Exclude<EntryKind, 'reversal'>
  /** From her view: above zero what came to her or lowered her debt, below zero what she drew or was charged. */
  amount: Amount
  /** A later entry took it back. */
  reversed: boolean
}

// One row an entry: of a repayment out of savings the loan's side is told, since that is its kind. What she was handed is
// the cash side of a disbursement (the loan account is charged with interest and fees too), unless others got their loans by
// the same entry.
const movementsSql = `
select m.id as "entryId", m.booked_date as "bookedDate", m.kind,
       case when m.kind = 'loan_disbursement' then coalesce(
              (select -sum(p.amount) from postings p join accounts a on a.id = p.account_id and a.purpose = 'cash'
                where p.entry_id = m.id and not exists (
                  select 1 from postings o join loans l on l.account_id = o.account_id
                   where o.entry_id = m.id and l.member_id <> $1)), m.loan)
            when m.kind like 'loan%' then -m.loan
            when m.kind like 'savings%' then -m.savings
            else -coalesce(m.loan, 0) - coalesce(m.savings, 0) end as amount,
       exists (select 1 from entries r where r.reverses_id = m.id) as reversed
  from (
    select e.id, e.booked_date, e.kind, e.created_at,
           sum(p.amount) filter (where a.purpose = 'loan') as loan,
           sum(p.amount) filter (where a.purpose = 'savings') as savings
      from accounts a join postings p on p.account_id = a.id join entries e on e.id = p.entry_id
     where a.member_id = $1 and a.purpose = any($3) and e.kind <> 'reversal' and ($4::uuid is null or e.id = $4)
     group by e.id, e.booked_date, e.kind, e.created_at
     order by e.booked_date desc, e.created_at desc, e.id desc limit $2
  ) m
 order by m.booked_date desc, m.created_at desc, m.id desc`

export interface MovementsAsked {
  /** Of these accounts [loan and savings]. */
  purposes?: readonly ('loan' | 'savings')[]
  /** This one entry alone. */
  entryId?: string
}

/** Last movements of her loans and savings, newest first. A reversed one is marked; the reversal is no row of its own. */
export async function readMovements(
  reads: NamedReads,
  memberId: string,
  limit: number,
  { purposes = ['loan', 'savings'], entryId }: MovementsAsked = {},
): Promise<Movement[]> {
  const rows = await reads.query<Omit<Movement, 'amount'> & { amount: string | null }>(
    'member-movements',
    movementsSql,
    [memberId, limit, purposes, entryId ?? null],
  )
  return rows.map((row) => ({ ...row, amount: new Decimal(row.amount ?? 0) }))
}
