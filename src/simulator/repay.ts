// In: a demo phone's number. Out: a repayment posted to the shared ledger, as a back office would post it.
// Must never send anything itself: the receipt follows from the committed entry.
import { randomUUID } from 'node:crypto'
import { localParts } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { postEntries } from '../ledger/entries.ts'
import { repaymentOf } from '../ledger/loans.ts'
import { type LoanPosition, readPosition } from '../ledger/position.ts'
import { formatAmount } from '../money.ts'

export type Repayment =
  | { outcome: 'posted'; alias: string; amount: string; loanNumber: string }
  | { outcome: 'nothing_owed' }

interface Borrower {
  memberId: string
  alias: string
  programmeId: string
  timeZone: string
}

/** Pays what is overdue, else the next instalment, of the first loan that a member on this phone still owes. */
export async function repayDemo({ db, clock }: { db: Db; clock: Clock }, msisdn: string): Promise<Repayment> {
  const { rows } = await db.pool.query<Borrower>(
    `select m.id as "memberId", m.alias, m.programme_id as "programmeId", p.time_zone as "timeZone"
       from phones f
       join member_phones mp on mp.phone_id = f.id
       join members m on m.id = mp.member_id and m.status = 'active'
       join programmes p on p.id = m.programme_id
      where f.msisdn = $1
      order by m.number`,
    [msisdn],
  )
  const now = clock.now()
  for (const borrower of rows) {
    const today = localParts(now, borrower.timeZone).date
    const position = await readPosition(db.reads, borrower.memberId, now, today)
    const loan = position.loans[0]
    if (loan === undefined) continue
    const amount = amountDue(loan)
    const entry = repaymentOf(loan.number, amount, today, `demo-repayment/${randomUUID()}`)
    await db.transaction((tx) => postEntries(tx, borrower.programmeId, 'phone page', [entry]))
    return {
      outcome: 'posted',
      alias: borrower.alias,
      amount: formatAmount(amount, position.currency),
      loanNumber: loan.number,
    }
  }
  return { outcome: 'nothing_owed' }
}

function amountDue(loan: LoanPosition) {
  if (loan.overdue.greaterThan(0)) return loan.overdue
  return loan.next?.remaining ?? loan.outstanding
}
