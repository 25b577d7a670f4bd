// In: any account by code. Out: its postings in booking order with the balance after each, a page at a time.
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import type { Amount } from '../money.ts'
import type { EntryKind } from './entries.ts'

export interface StatementRow {
  postingId: string
  reference: string
  kind: EntryKind
  bookedDate: CalendarDate
  description: string | null
  reversed: boolean
  amount: Amount
  /** After this row, debit above zero. */
  balance: Amount
}

export interface Statement {
  code: string
  type: string
  purpose: string
  currency: string
  closedAt: Date | null
  /** Of the whole account, debit above zero. */
  balance: Amount
  rows: StatementRow[]
  /** Hand it back as `after` to read on; undefined at the end. */
  next: StatementCursor | undefined
}

/** The last row of a page: rows are ordered by booked day, then by posting. */
export interface StatementCursor {
  bookedDate: CalendarDate
  postingId: string
}

const startCursor: StatementCursor = { bookedDate: '-infinity', postingId: '0' }

/**
 * Undefined when the programme has no such account. Reads all postings of the account for the running balance, so it
 * goes through the pool and not through the pipelined connection.
 */
export async function readStatement(
  db: Queryable,
  programmeId: string,
  code: string,
  page: { after?: StatementCursor; limit: number },
): Promise<Statement | undefined> {
  const found = await db.query<{
    id: string
    type: string
    purpose: string
    currency: string
    closedAt: Date | null
    balance: string
  }>(
    `select id, type, purpose, currency_code as currency, closed_at as "closedAt",
            (select coalesce(sum(amount), 0) from postings where account_id = a.id) as balance
       from accounts a where programme_id = $1 and code = $2`,
    [programmeId, code],
  )
  const account = found.rows[0]
  if (account === undefined) return undefined
  const { id, ...head } = account
  const after = page.after ?? startCursor
  const rows = await readRows(db, id, after, page.limit + 1)
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined
  return {
    code,
    ...head,
    balance: new Decimal(head.balance),
    rows: rows.slice(0, page.limit),
    next: last === undefined ? undefined : { bookedDate: last.bookedDate, postingId: last.postingId },
  }
}

async function readRows(
  db: Queryable,
  accountId: string,
  after: StatementCursor,
  limit: number,
): Promise<StatementRow[]> {
  const found = await db.query<
    Omit<StatementRow, 'amount' | 'balance'> & { amount: string; balance: string }
  >(
    `select r.id as "postingId", e.reference, e.kind, r.booked_date as "bookedDate", e.description,
            exists (select 1 from entries later where later.reverses_id = e.id) as reversed, r.amount, r.balance
       from (select p.id, p.entry_id, e.booked_date, p.amount,
                    sum(p.amount) over (order by e.booked_date, p.id rows unbounded preceding) as balance
               from postings p join entries e on e.id = p.entry_id where p.account_id = $1) r
       join entries e on e.id = r.entry_id
      where (r.booked_date, r.id) > ($2::date, $3::bigint)
      order by r.booked_date, r.id limit $4`,
    [accountId, after.bookedDate, after.postingId, limit],
  )
  return found.rows.map((row) => ({
    ...row,
    amount: new Decimal(row.amount),
    balance: new Decimal(row.balance),
  }))
}
