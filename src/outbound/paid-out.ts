// In: a message about an entry that paid out a loan, or about its reversal. Out: what this entry itself handed to her.
// Must never state the principal for a part of it, nor one member's share of what went to several as if it were hers.
import { Decimal } from 'decimal.js'
import type { Pipeline } from '../db.ts'
import type { Amount } from '../money.ts'

export interface PaidOut {
  amount: Amount
  /** The loan's whole principal; else one tranche of it. */
  whole: boolean
  /** Of the loan, under the same snapshot: what one text states must have been true at one moment. */
  balance: Amount
}

interface Row {
  principal: string
  scheduled: string
  charged: string
  cash: string | null
  loans: number
  balance: string
}

// One row for each loan of hers that the entry touched. A reversal mirrors its entry, so the amounts are the same.
const paidOutSql = `
  select l.principal, abs(sum(p.amount)) as charged,
         (select coalesce(sum(i.principal + i.interest + i.fee + i.insurance), 0)
            from instalments i where i.loan_id = l.id) as scheduled,
         (select abs(sum(c.amount)) from postings c join accounts a on a.id = c.account_id and a.purpose = 'cash'
           where c.entry_id = m.entry_id) as cash,
         (select count(distinct o.account_id) from postings o join loans ol on ol.account_id = o.account_id
           where o.entry_id = m.entry_id)::int as loans,
         (select sum(b.amount) from postings b where b.account_id = l.account_id) as balance
    from messages m
    join postings p on p.entry_id = m.entry_id
    join loans l on l.account_id = p.account_id and l.member_id = m.member_id
   where m.id = $1
   group by l.id, m.entry_id`

/**
 * Whole when the entry charged all of the schedule, or handed out the principal. Less is a tranche, and what it handed out
 * is its cash side. Undefined where the entry does not tell.
 */
export async function readPaidOut(reads: Pipeline, messageId: string): Promise<PaidOut | undefined> {
  const [row, another] = await reads.query<Row>('paid-out', paidOutSql, [messageId])
  if (row === undefined || another !== undefined) return undefined
  const principal = new Decimal(row.principal)
  const cash = row.loans === 1 && row.cash !== null ? new Decimal(row.cash) : new Decimal(0)
  const balance = new Decimal(row.balance)
  if (new Decimal(row.charged).equals(row.scheduled) || cash.equals(principal))
    return { amount: principal, whole: true, balance }
  return cash.greaterThan(0) && cash.lessThan(principal) ? { amount: cash, whole: false, balance } : undefined
}
