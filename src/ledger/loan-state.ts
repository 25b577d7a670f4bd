// In: a loan by number. Out: its schedule with what of each part is unpaid, for the back office's books.
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import type { Amount } from '../money.ts'
import { type Allocation, allocate, type InstalmentParts } from './allocation.ts'
import type { LoanProduct } from './loans.ts'

export interface LoanState extends Allocation<InstalmentParts & { dueDate: CalendarDate }> {
  number: string
  /** Member number. */
  member: string
  product: LoanProduct
  cycle: number
  principal: Amount
  /** Below zero when over-paid. */
  outstanding: Amount
}

interface LoanRow {
  member: string
  product: LoanProduct
  cycle: number
  principal: string
  outstanding: string
  instalments: [dueDate: CalendarDate, principal: string, interest: string, fee: string, insurance: string][]
}

/** Undefined when the programme has no such loan. */
export async function readLoan(
  db: Queryable,
  programmeId: string,
  number: string,
): Promise<LoanState | undefined> {
  const found = await db.query<LoanRow>(
    `select m.number as member, l.product, l.cycle, l.principal,
            (select coalesce(sum(amount), 0) from postings where account_id = l.account_id) as outstanding,
            (select coalesce(json_agg(json_build_array(due_date, principal::text, interest::text, fee::text, insurance::text)
               order by due_date, i.number), '[]') from instalments i where i.loan_id = l.id) as instalments
       from loans l join members m on m.id = l.member_id where l.programme_id = $1 and l.number = $2`,
    [programmeId, number],
  )
  const row = found.rows[0]
  if (row === undefined) return undefined
  const outstanding = new Decimal(row.outstanding)
  const instalments = row.instalments.map(([dueDate, principal, interest, fee, insurance]) => ({
    dueDate,
    principal: new Decimal(principal),
    interest: new Decimal(interest),
    fee: new Decimal(fee),
    insurance: new Decimal(insurance),
  }))
  const { member, product, cycle } = row
  const principal = new Decimal(row.principal)
  return { number, member, product, cycle, principal, outstanding, ...allocate(outstanding, instalments) }
}
