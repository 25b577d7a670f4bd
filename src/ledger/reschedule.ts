// In: a loan and the instalments that are to stand in the place of those that nobody has paid on. Out: its schedule changed.
// Must never touch what was paid on, nor ask for more or less than is charged to the loan account: that takes an entry.
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { allocate } from './allocation.ts'
import { checkSchedule, type LoanProduct, type NewInstalment } from './loans.ts'
import { refusing } from './refusals.ts'

export interface ScheduleChange {
  programmeId: string
  /** Loan number. */
  number: string
  /** In due order, from the first instalment on that nothing is paid of. */
  instalments: readonly NewInstalment[]
  /** The programme's business date: what changes asks for nothing in the past. */
  today: CalendarDate
}

export interface ChangedSchedule {
  loanId: string
  /** Instalments that stay because something is paid of them. */
  kept: number
  /** Those behind them, before and after; equal ones are no change. */
  before: { count: number; firstDueDate: CalendarDate; lastDueDate: CalendarDate }
  after: { count: number; firstDueDate: CalendarDate; lastDueDate: CalendarDate }
  changed: boolean
}

const parts = ['principal', 'interest', 'fee', 'insurance'] as const

interface LoanRow {
  id: string
  accountId: string
  memberId: string
  product: LoanProduct
  cycle: number
  principal: string
}

/**
 * Undefined when the programme has no such loan. Throws loan.schedule_paid when the change contradicts what is paid or charged, and
 * loan.schedule_invalid when it is none; the caller's transaction is lost then.
 */
export async function changeSchedule(
  tx: Queryable,
  { programmeId, number, instalments, today }: ScheduleChange,
): Promise<ChangedSchedule | undefined> {
  const found = await tx.query<LoanRow & { currency: string }>(
    `select l.id, l.account_id as "accountId", l.member_id as "memberId", l.product, l.cycle, l.principal, a.currency_code as currency
       from loans l join accounts a on a.id = l.account_id where l.programme_id = $1 and l.number = $2`,
    [programmeId, number],
  )
  const loan = found.rows[0]
  if (loan === undefined) return undefined
  // No payment comes between what is read here and what is written.
  await tx.query('select 1 from accounts where id = $1 for update', [loan.accountId])
  const current = await readInstalments(tx, loan.id)
  const balance = await tx.query<{ balance: string }>(
    'select coalesce(sum(amount), 0) as balance from postings where account_id = $1',
    [loan.accountId],
  )
  const allocated = allocate(new Decimal(balance.rows[0]?.balance ?? 0), current)
  const kept = allocated.instalments.filter(({ amount, remaining }) => remaining.lessThan(amount)).length
  const replaced = current.slice(kept)
  if (replaced.length === 0)
    throw new RequestError('loan.schedule_paid', {
      field: 'instalments',
      detail: 'something is paid of every instalment: none is left to change',
    })
  checkChange({ kept: current.slice(0, kept), replaced, instalments, today })
  const whole = [...current.slice(0, kept), ...instalments]
  checkSchedule(
    { ...loan, number, principal: new Decimal(loan.principal), instalments: whole },
    loan.currency,
  )
  const changed = !isSame(replaced, instalments)
  if (changed) await refusing(() => write(tx, loan.id, kept, instalments))
  return { loanId: loan.id, kept, before: spanOf(replaced), after: spanOf(instalments), changed }
}

interface Change {
  kept: readonly NewInstalment[]
  replaced: readonly NewInstalment[]
  instalments: readonly NewInstalment[]
  today: CalendarDate
}

function checkChange({ kept, replaced, instalments, today }: Change): void {
  const lastKept = kept.at(-1)?.dueDate ?? ''
  instalments.forEach((instalment, index) => {
    const field = `instalments[${index}].dueDate`
    if (instalment.dueDate < lastKept)
      throw new RequestError('loan.schedule_paid', {
        field,
        detail: 'is before an instalment of which something is paid',
      })
    const before = replaced[index]
    const stays = before !== undefined && isSame([before], [instalment])
    if (instalment.dueDate < today && !stays)
      throw new RequestError('loan.schedule_invalid', { field, detail: 'has gone by' })
  })
  for (const part of parts)
    if (!sumOf(instalments, part).equals(sumOf(replaced, part)))
      throw new RequestError('loan.schedule_paid', {
        field: 'instalments',
        detail: `their ${part} does not sum to what the instalments they replace ask for: other sums take an entry`,
      })
}

async function readInstalments(tx: Queryable, loanId: string): Promise<NewInstalment[]> {
  const { rows } = await tx.query<{ dueDate: CalendarDate } & Record<(typeof parts)[number], string>>(
    `select due_date as "dueDate", principal, interest, fee, insurance from instalments
      where loan_id = $1 order by due_date, number`,
    [loanId],
  )
  return rows.map(({ dueDate, principal, interest, fee, insurance }) => ({
    dueDate,
    principal: new Decimal(principal),
    interest: new Decimal(interest),
    fee: new Decimal(fee),
    insurance: new Decimal(insurance),
  }))
}

/** An instalment that stays at its place keeps its id, which reminders name; numbers follow from due order. */
async function write(
  tx: Queryable,
  loanId: string,
  kept: number,
  instalments: readonly NewInstalment[],
): Promise<void> {
  await tx.query(
    `with placed as (
       select id, row_number() over (order by due_date, number) as place from instalments where loan_id = $1)
     delete from instalments i using placed p where p.id = i.id and p.place > $2`,
    [loanId, kept + instalments.length],
  )
  await tx.query(
    `with placed as (
       select id, row_number() over (order by due_date, number) as place from instalments where loan_id = $1),
     wanted as (
       select * from unnest($2::int[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[])
         as t (place, due_date, principal, interest, fee, insurance)),
     moved as (
       update instalments i
          set due_date = w.due_date, principal = w.principal, interest = w.interest, fee = w.fee, insurance = w.insurance
         from placed p join wanted w on w.place = p.place
        where i.id = p.id and (i.due_date, i.principal, i.interest, i.fee, i.insurance)
              is distinct from (w.due_date, w.principal, w.interest, w.fee, w.insurance)
       returning 1)
     insert into instalments (loan_id, number, due_date, principal, interest, fee, insurance)
     select $1, (select coalesce(max(number), 0) from instalments where loan_id = $1) + w.place - (select count(*) from placed)::int,
            w.due_date, w.principal, w.interest, w.fee, w.insurance
       from wanted w where w.place > (select count(*) from placed)`,
    [
      loanId,
      instalments.map((_, index) => kept + index + 1),
      instalments.map(({ dueDate }) => dueDate),
      ...parts.map((part) => instalments.map((instalment) => instalment[part].toFixed())),
    ],
  )
}

function sumOf(instalments: readonly NewInstalment[], part: (typeof parts)[number]): Decimal {
  return instalments.reduce((sum, instalment) => sum.plus(instalment[part]), new Decimal(0))
}

function isSame(left: readonly NewInstalment[], right: readonly NewInstalment[]): boolean {
  return (
    left.length === right.length &&
    left.every((one, index) => {
      const other = right[index]
      return (
        other !== undefined &&
        one.dueDate === other.dueDate &&
        parts.every((part) => one[part].equals(other[part]))
      )
    })
  )
}

function spanOf(instalments: readonly NewInstalment[]): ChangedSchedule['before'] {
  return {
    count: instalments.length,
    firstDueDate: instalments[0]?.dueDate ?? '',
    lastDueDate: instalments.at(-1)?.dueDate ?? '',
  }
}
